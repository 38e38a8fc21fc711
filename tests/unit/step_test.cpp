// SPDX-License-Identifier: MIT
// Seqlocks, taken at their word: whatever is written, and wherever between two instructions
// of a reader, what it hands out is of one moment. And the fences that cost an instruction are
// there, between the store and the load that they are for.
#include "step.hpp"

#include <evring/detail/group_record.hpp>
#include <evring/group_member.hpp>

#include <array>
#include <memory>
#include <span>

#include "support.hpp"

namespace evring {
namespace {

using testing::at_every_instruction;
using testing::count_fences;
using testing::event_numbered;
using testing::is_whole;
using testing::publish_numbered;
using testing::step_through;

class StepTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!EVRING_CAN_STEP) GTEST_SKIP() << "the trap flag is x86-64's, and not for a sanitizer";
  }
};

std::uint64_t word(const __u64& shared) { return load_relaxed(group_word(shared)); }

TEST_F(StepTest, AStatusBlockIsOfOneMoment) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  const evring_header& header = *ring.mapping().header();
  Producer producer(ring);
  const auto refresh = [&] {
    producer.add_lock_wait(3);
    producer.refresh_status();
  };
  std::uint64_t torn = 0;
  std::uint64_t seen = 0;
  const auto look = [&] {
    if (const auto status = read_status(header, 0, 2)) {
      ++seen;
      torn += status->block.lock_wait_ns != 3 * status->block.lock_contended;
    }
  };
  EXPECT_GT(at_every_instruction(look, refresh), 20u) << "a reader, written to";
  const std::uint64_t seen_by_reader = seen;
  EXPECT_GT(seen_by_reader, 20u);
  step_through(refresh, [&](const std::uint8_t*) { look(); });
  EXPECT_GT(seen, seen_by_reader) << "a writer, looked at";
  EXPECT_EQ(torn, 0u);
}

TEST_F(StepTest, ARecordOfAMemberIsOfOneMoment) {
  evring_group_member record{};
  GroupJournal journal(record);
  std::uint64_t round = 0;
  const auto write = [&] {
    for (int i = 0; i < 2; ++i) {  // the second one takes the place of the one in force
      ++round;
      journal.write({round, round, round, round});
    }
  };
  std::uint64_t torn = 0;
  const auto look = [&] {
    const GroupEntry entry = read_group_entry(record).value_or(GroupEntry{});
    torn += entry.from != entry.to || entry.to != entry.received || entry.received != entry.lost;
  };
  EXPECT_GT(at_every_instruction(look, write), 10u);
  step_through(write, [&](const std::uint8_t*) { look(); });
  EXPECT_EQ(torn, 0u);
}

struct StepReads {
  std::uint64_t whole = 0;
  std::uint64_t torn = 0;
};

/// Reads with `read(reader, out)`, of a reader that `make(ring)` makes, while a lap and a half
/// overwrites what it reads.
template <class Make, class Read>
StepReads read_beside_a_lap(Make make, Read read) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  publish_numbered(producer, 8);
  auto reader = make(ring);
  StepReads reads;
  std::array<Event, 3> out;
  const auto look = [&] {
    const std::size_t count = read(*reader, std::span<Event>(out));
    for (std::size_t i = 0; i < count; ++i) ++(is_whole(out[i]) ? reads.whole : reads.torn);
  };
  EXPECT_GT(at_every_instruction(look, [&] { publish_numbered(producer, 12); }), 50u);
  return reads;
}

void expect_whole(const StepReads& reads) {
  EXPECT_GT(reads.whole, 10u);
  EXPECT_EQ(reads.torn, 0u);
}

TEST_F(StepTest, WhatAConsumerGetsIsWhole) {
  const auto make = [](LocalRing& ring) { return std::make_unique<Consumer>(ring.mapping()); };
  // Lapped by what came in the middle of the read before: it resyncs, then reads.
  expect_whole(read_beside_a_lap(make, [](Consumer& consumer, std::span<Event> out) {
    if (consumer.try_read(out[0]) == ReadStatus::kOverrun) consumer.resync();
    return std::size_t{consumer.try_read(out[0]) == ReadStatus::kEvent ? 1U : 0U};
  }));
  expect_whole(read_beside_a_lap(make, [](Consumer& consumer, std::span<Event> out) {
    if (consumer.read_burst(out).status == ReadStatus::kOverrun) consumer.resync();
    return consumer.read_burst(out).count;
  }));
}

TEST_F(StepTest, WhatAMemberGetsIsWhole) {
  using Member = GroupMember<DefaultSlot>;
  const auto make = [](LocalRing& ring) { return std::make_unique<Member>(Group::create(ring)); };
  expect_whole(read_beside_a_lap(
      make, [](Member& member, std::span<Event> out) { return member.read_burst(out).count; }));
}

TEST_F(StepTest, AProducerThatIsAskedToFencesBeforeItsLooks) {
  for (const bool is_asked : {false, true}) {
    LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
    auto* armed = reinterpret_cast<std::uint64_t*>(&ring.producer_side()->doorbell->armed);
    if (is_asked) fetch_or(armed, EVRING_ARMED_FENCE);
    Producer producer(ring, WhenFull::kRefuse);
    const evring_header& header = *ring.mapping().header();
    const std::uint64_t* claim = &ring.producer_side()->table->claim;
    const Event event = event_numbered(0);
    const auto publish = [&] { producer.publish(event); };
    const std::uint64_t head = header.head;
    const std::uint64_t claimed = load_relaxed(claim);
    const std::uint64_t limit = word(header.write_limit);
    EXPECT_EQ(
        count_fences(
            publish,
            [&] { return load_relaxed(claim) != claimed && word(header.write_limit) == limit; }),
        is_asked ? 1u : 0u)
        << "(G2)";
    const std::uint64_t next = head + 1;
    EXPECT_EQ(count_fences(publish, [&] { return word(header.head) != next; }), is_asked ? 1u : 0u)
        << "(D2)";
  }
}

TEST_F(StepTest, AMemberFencesBeforeItLooksAtTheOthers) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
  const Group group = Group::create(ring);
  Producer producer(ring, WhenFull::kRefuse);
  publish_numbered(producer, 4);
  GroupMember<DefaultSlot> slow(group);
  GroupMember<DefaultSlot> quick(group);
  std::array<Event, 2> out;
  ASSERT_EQ(slow.read_burst(std::span<Event>(out)).count, 2u);
  ASSERT_EQ(quick.read_burst(std::span<Event>(out)).count, 2u);
  const evring_group_member& record = group.page().member[quick.index()];
  const std::uint64_t round = word(record.round);
  // The other one holds the gate: no compare-and-swap moves it, which would fence as well.
  EXPECT_EQ(count_fences([&] { quick.commit(); }, [&] { return word(record.round) != round; }), 1u);
}

}  // namespace
}  // namespace evring
