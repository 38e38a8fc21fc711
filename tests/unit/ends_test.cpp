// SPDX-License-Identifier: MIT
// How reading ends: a ring that its owner closed, a handler that throws, a gate that is
// handed on.
#include <evring/group.hpp>
#include <evring/group_member.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::publish_numbered;

static_assert(!std::is_copy_constructible_v<GatedConsumer>, "a cursor has one writer");
static_assert(!std::is_copy_assignable_v<GatedConsumer>);
static_assert(std::is_nothrow_move_constructible_v<GatedConsumer>);

constexpr int kLooksMax = 1000;

/// Reads until `read` says that no more will come. @return how many events it gave.
template <class Read>
std::uint64_t read_until_gone(Read read) {
  std::uint64_t count = 0;
  for (int looks = 0; looks < kLooksMax; ++looks) {
    const Burst burst = read();
    count += burst.count;
    if (burst.status == ReadStatus::kGone) return count;
  }
  ADD_FAILURE() << "the loop of a reader does not end";
  return count;
}

TEST(GoneTest, EndsALoopBehindTheLastEvent) {
  std::vector<Event> events(4);
  std::optional<LocalRing> ring = LocalRing::anonymous({.slot_count = 16});
  Consumer consumer(ring->mapping());
  Consumer one_by_one(ring->mapping());
  Consumer in_place(ring->mapping());
  GroupMember<DefaultSlot> member(Group::create(*ring, StartAt::kOldest));
  {
    Producer producer(*ring);
    publish_numbered(producer, 10);
  }
  for (int i = 0; i < 200; ++i) {
    Event event;
    const ReadStatus status = one_by_one.try_read(event);
    EXPECT_EQ(status, i < 10 ? ReadStatus::kEvent : ReadStatus::kEmpty) << "its owner lives";
  }
  ring.reset();
  EXPECT_EQ(read_until_gone([&] { return consumer.read_burst(events); }), 10u);
  EXPECT_EQ(read_until_gone([&] { return in_place.visit_burst(3, [](const auto&) noexcept {}); }),
            10u);
  EXPECT_EQ(read_until_gone([&] { return member.read_burst(std::span<Event>(events)); }), 10u);
  EXPECT_EQ(read_until_gone([&] {
              Event event;
              return Burst{0, one_by_one.try_read(event)};
            }),
            0u);
}

/// Calls `look` once, when the first event of a batch is READY and head does not say so.
struct LookIntoBatch {
  static inline std::function<void()> look;
  void operator()(PublishStep step) const {
    if (step == PublishStep::kReadyStored && look) std::exchange(look, nullptr)();
  }
};

TEST(GoneTest, IsNotSaidBeforeAnEventThatHeadHides) {
  std::optional<LocalRing> ring = LocalRing::anonymous({.slot_count = 64});
  BasicProducer<DefaultSlot, LookIntoBatch> producer(*ring);
  Consumer consumer(ring->mapping());
  std::vector<Event> events(16);
  producer.publish_batch(events);
  ASSERT_EQ(consumer.read_burst(events).count, 16u) << "from here on it drains to head";
  std::vector<ReadStatus> seen;
  LookIntoBatch::look = [&] {
    ring.reset();
    for (int i = 0; i < 66; ++i) seen.push_back(consumer.read_burst(events).status);
  };
  producer.publish_batch(std::vector<Event>(2));
  EXPECT_EQ(std::count(seen.begin(), seen.end(), ReadStatus::kGone), 0) << "an event was left";
  EXPECT_EQ(consumer.received(), 17u);
}

TEST(VisitBurstTest, PassesOnWhatKeepThrows) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 16});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 10);
  std::vector<std::uint64_t> kept;
  const auto look = [](const SlotView<DefaultSlot>& view) noexcept { return view.sequence(); };
  const auto keep = [&](std::uint64_t sequence) {
    if (sequence == 3) throw std::runtime_error("full");
    kept.push_back(sequence);
  };
  EXPECT_THROW(consumer.visit_burst(8, look, keep), std::runtime_error);
  EXPECT_EQ(kept.size(), 3u);
  EXPECT_EQ(consumer.received(), 4u) << "event 3 was handed over";
  EXPECT_EQ(consumer.cursor(), 4u);
  EXPECT_EQ(consumer.visit_burst(8, look, keep).count, 6u);
  EXPECT_EQ(kept.size(), 9u);
  EXPECT_TRUE(consumer.balance().balanced());
}

TEST(VisitBurstTest, AThrowAtTheFirstLookCountsNothing) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 16});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 2);
  const auto look = [](const SlotView<DefaultSlot>&) -> int { throw std::runtime_error("no"); };
  EXPECT_THROW(consumer.visit_burst(8, look, [](int) {}), std::runtime_error);
  EXPECT_THROW(consumer.visit_burst(8, [](const auto&) { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(consumer.received(), 0u);
  EXPECT_EQ(consumer.cursor(), 0u);
}

TEST(GatedConsumerTest, KeepsItsRegistration) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8, .mode = Mode::kGated});
  Producer producer(ring, WhenFull::kRefuse);
  std::optional<GatedConsumer> first;
  first.emplace(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  publish_numbered(producer, 10);
  EXPECT_EQ(producer.dropped(), 2u) << "its registration has not ended";
  GatedConsumer second = std::move(*first);
  first.reset();
  publish_numbered(producer, 1);
  EXPECT_EQ(producer.dropped(), 3u) << "nor when the consumer moves";
  EXPECT_EQ(testing::drain(second).torn, 0u);
  EXPECT_EQ(second.received(), 8u);
  { const GatedConsumer last = std::move(second); }
  publish_numbered(producer, 20);
  EXPECT_EQ(producer.dropped(), 3u) << "the gate opens with the end of the consumer";
}

TEST(GatedConsumerTest, AMovedOneWritesNoCursor) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
  Producer producer(ring, WhenFull::kRefuse);
  const auto seat = std::make_shared<Registration>(ring.register_consumer(StartAt::kOldest));
  const auto* cursor = reinterpret_cast<const std::uint64_t*>(&seat->page()->cursor);
  GatedConsumer from(ring.mapping(), seat);
  publish_numbered(producer, 4);
  Event event;
  ASSERT_EQ(from.try_read(event), ReadStatus::kEvent);  // not committed: so few are not
  GatedConsumer to = std::move(from);
  testing::drain(to);
  EXPECT_EQ(load_relaxed(cursor), 4u);
  from.commit();  // NOLINT(bugprone-use-after-move): what is left of it
  EXPECT_EQ(load_relaxed(cursor), 4u);
}

TEST(GatedConsumerTest, AChildsCopyDoesNotMoveTheParentsGate) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
  Producer producer(ring, WhenFull::kRefuse);
  GatedConsumer consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  publish_numbered(producer, 64);
  EXPECT_EQ(testing::run_child([&] {
              testing::drain(consumer);
              return consumer.received() == 64;
            }),
            0);
  publish_numbered(producer, 64);
  EXPECT_EQ(producer.dropped(), 64u) << "the parent has read nothing yet";
  EXPECT_EQ(testing::drain(consumer).torn, 0u);
  EXPECT_EQ(consumer.received(), 64u);
  EXPECT_EQ(consumer.lost(), 0u);
}

TEST(VisitBurstTest, LooksAtNoMoreThanTheRingHolds) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 64});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 16);
  std::size_t looks = 0;
  const auto visit = [&](const auto&) noexcept { ++looks; };
  EXPECT_EQ(consumer.visit_burst(16, visit).count, 16u) << "from here on it drains to head";
  publish_numbered(producer, 10'000);
  looks = 0;
  EXPECT_EQ(consumer.visit_burst(SIZE_MAX, visit).status, ReadStatus::kOverrun);
  EXPECT_LE(looks, 64u);
}

TEST(GroupMemberTest, AThrowLeavesItsBurstToBeRecovered) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 16});
  Producer producer(ring);
  publish_numbered(producer, 6);
  const Group group = Group::create(ring.mapping());
  std::vector<Event> events(4);
  try {
    GroupMember<DefaultSlot> member(group);
    ASSERT_EQ(member.read_burst(std::span<Event>(events)).count, 4u);
    throw std::runtime_error("in the handler");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(group.dead_count(), 1u);
  std::optional<GroupRecovery<DefaultSlot>> recovery;
  auto taken = group.take_dead();
  ASSERT_TRUE(taken.has_value());
  recovery.emplace(group, std::move(*taken));
  EXPECT_EQ(recovery->read_burst(events).count, 4u) << "events 0 to 3, again";
  EXPECT_EQ(events.front().sequence, 0u);
  recovery->commit();
  EXPECT_EQ(group.dead_count(), 0u);
  EXPECT_TRUE(group.balance()->balanced());
}

}  // namespace
}  // namespace evring
