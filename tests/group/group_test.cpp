// SPDX-License-Identifier: MIT
// Groups: each event to exactly one member, every loss counted once, and nothing that
// a hostile member writes ends in a loop.
#include <signal.h>

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>

#include "group_support.hpp"

namespace evring {
namespace {

using namespace group_test;

class GroupWrapTest : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Sequences, GroupWrapTest,
                         testing::Values(0, (1ULL << 32) - 50, kNear2To58, kNear2To63, kNear2To64));

TEST_P(GroupWrapTest, GivesEachEventToExactlyOneMember) {
  LocalRing ring = make_ring(64, Mode::kOverwrite, GetParam());
  Producer producer(ring);
  const Group group = Group::create(ring);
  Member first(group);
  Member second(group);
  Deliveries deliveries(GetParam(), 400);
  std::array<Event, 7> events;
  for (unsigned round = 0; round < 20; ++round) {
    publish(producer, 20);
    for (bool found = true; found;) {
      const Burst burst = (round % 2 == 0 ? first : second).read_burst(std::span<Event>(events));
      for (const Event& event : std::span(events).first(burst.count)) deliveries.note(event);
      found = second.try_read(events[0]) == ReadStatus::kEvent;
      if (found) deliveries.note(events[0]);
    }
    expect_balanced(group);
  }
  EXPECT_EQ(deliveries.delivered(1), 400u);
  EXPECT_EQ(deliveries.wrong(), 0u);
  EXPECT_EQ(first.received() + second.received(), 400u);
  EXPECT_EQ(group.claim(), GetParam() + 400);
}

TEST_P(GroupWrapTest, CountsALappedClaimOnce) {
  LocalRing ring = make_ring(8, Mode::kOverwrite, GetParam());
  Producer producer(ring);
  const Group group = Group::create(ring);
  Member first(group);
  Member second(group);
  publish(producer, 200);  // 192 of them are overwritten

  std::array<Event, 4> events;
  EXPECT_EQ(first.read_burst(std::span<Event>(events)).count, 4u);
  EXPECT_EQ(events[0].sequence, GetParam() + 192) << "the oldest that is still there";
  EXPECT_EQ(second.read_burst(std::span<Event>(events)).count, 4u);
  EXPECT_EQ(first.lost(), 192u);
  EXPECT_EQ(second.lost(), 0u);
  EXPECT_EQ(second.read_burst(std::span<Event>(events)).status, ReadStatus::kEmpty);
  EXPECT_TRUE(first.balanced());
  expect_balanced(group);
}

TEST_P(GroupWrapTest, GatedProducerDoesNotPassWhatAMemberHolds) {
  LocalRing ring = make_ring(8, Mode::kGated, GetParam());
  const Group group = Group::create(ring);
  Producer producer(ring, WhenFull::kRefuse);
  Member slow(group);
  Member quick(group);
  publish(producer, 8);
  std::array<Event, 2> held;
  std::array<Event, 6> rest;
  ASSERT_EQ(slow.read_burst(std::span<Event>(held)).count, 2u);
  ASSERT_EQ(quick.read_burst(std::span<Event>(rest)).count, 6u);
  quick.commit();
  EXPECT_EQ(producer.publish(event_numbered(producer.next_sequence())), PublishStatus::kDropped);

  slow.commit();
  publish(producer, 8);
  EXPECT_EQ(producer.dropped(), 1u);
  std::uint64_t received = 0;
  while (quick.try_read(rest[0]) == ReadStatus::kEvent) ++received;
  EXPECT_EQ(received, 8u);
  publish(producer, 8);
  EXPECT_EQ(producer.dropped(), 1u);
  expect_balanced(group);
}

TEST(GroupTest, ClaimsOnlyWhatIsPublished) {
  LocalRing ring = make_ring(8);
  Producer producer(ring);
  const Group group = Group::create(ring);
  Member member(group);
  std::array<Event, 8> events;
  EXPECT_EQ(member.read_burst(std::span<Event>(events)).status, ReadStatus::kEmpty);
  EXPECT_EQ(group.claim(), 0u);
  publish(producer, 3);
  EXPECT_EQ(member.read_burst(std::span<Event>(events)).count, 3u);
  EXPECT_EQ(group.claim(), 3u);
  EXPECT_EQ(member.try_read(events[0]), ReadStatus::kEmpty);
}

TEST(GroupTest, AClaimIsNoLargerThanTheRing) {
  LocalRing ring = make_ring(4);
  Producer producer(ring);
  Member member(Group::create(ring));
  publish(producer, 4);
  std::array<Event, 64> events;
  EXPECT_EQ(member.read_burst(std::span<Event>(events)).count, 4u);
  EXPECT_EQ(member.read_burst(std::span<Event>{}).status, ReadStatus::kEmpty);
  publish(producer, 9);
  EXPECT_EQ(member.read_burst(std::span<Event>(events)).count, 4u);
  EXPECT_EQ(member.lost(), 5u);
}

TEST(GroupTest, TheBalanceHoldsWhileABurstIsInHand) {
  LocalRing ring = make_ring(16);
  Producer producer(ring);
  const Group group = Group::create(ring);
  Member member(group);
  publish(producer, 10);
  std::array<Event, 6> events;
  ASSERT_EQ(member.read_burst(std::span<Event>(events)).count, 6u);
  EXPECT_EQ(group.balance()->held, 6u);
  EXPECT_EQ(group.balance()->received, 0u);
  expect_balanced(group);
  member.commit();
  EXPECT_EQ(group.balance()->held, 0u);
  EXPECT_EQ(group.balance()->received, 6u);
  expect_balanced(group);
}

TEST(GroupTest, AMemberIsDoneWithWhatItHadInHandWhenItEnds) {
  LocalRing ring = make_ring(16, Mode::kGated);
  const Group group = Group::create(ring);
  Producer producer(ring, WhenFull::kRefuse);
  publish(producer, 16);
  std::array<Event, 16> events;
  EXPECT_EQ(Member(group).read_burst(std::span<Event>(events)).count, 16u);
  EXPECT_EQ(group.balance()->received, 16u);
  EXPECT_EQ(group.balance()->held, 0u);
  expect_balanced(group);
  EXPECT_EQ(producer.publish(event_numbered(16)), PublishStatus::kPublished) << "the gate is open";
}

TEST(GroupTest, ARecordCountsOnForItsNextOwner) {
  LocalRing ring = make_ring(16);
  Producer producer(ring);
  const Group group = Group::create(ring);
  Event event;
  for (unsigned round = 0; round < 3; ++round) {
    Member member(group);
    EXPECT_EQ(member.index(), 0u);
    publish(producer, 5);
    while (member.try_read(event) == ReadStatus::kEvent) {
    }
    EXPECT_EQ(member.received(), 5u);
  }
  EXPECT_EQ(group.balance()->received, 15u);
  EXPECT_EQ(group.balance()->member_count, 0u);
  expect_balanced(group);
}

TEST(GroupTest, RefusesOneMemberTooManyAndTakesOneAgain) {
  LocalRing ring = make_ring(16);
  const Group group = Group::create(ring);
  std::list<Member> members;
  for (unsigned i = 0; i < EVRING_GROUP_MEMBER_COUNT_MAX; ++i) members.emplace_back(group);
  EXPECT_THROW(Member{group}, std::system_error);
  members.pop_front();
  EXPECT_EQ(Member(group).index(), 0u);
}

TEST(GroupTest, RefusesAGatedRingWithoutItsPage) {
  LocalRing ring = make_ring(16, Mode::kGated);
  EXPECT_THROW(Group::create(ring.mapping()), std::invalid_argument);
  const Group group = Group::create(ring);
  EXPECT_THROW(Group::attach(group.fd(), ring.mapping()), std::invalid_argument);
}

TEST(GroupTest, RefusesAFileThatIsNoGroupOfTheRing) {
  LocalRing ring = make_ring(16);
  LocalRing other = make_ring(32);
  const Group group = Group::create(ring);
  EXPECT_NO_THROW(Group::attach(group.fd(), ring.mapping()));
  EXPECT_THROW(Group::attach(group.fd(), other.mapping()), std::system_error);
  EXPECT_THROW(Group::attach(ring.read_only_fd(), ring.mapping()), std::system_error);
  const FileDescriptor unsealed(::memfd_create("unsealed", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(unsealed.get(), sizeof(evring_group_page)), 0);
  EXPECT_THROW(Group::attach(unsealed.get(), ring.mapping()), std::system_error);
}

TEST(GroupTest, RefusesSlotsOfAnotherLayout) {
  LocalRing ring = make_ring(16);
  const Group group = Group::create(ring);
  EXPECT_THROW(GroupMember<BareSlot64>{group}, std::invalid_argument);
  EXPECT_EQ(group.balance()->member_count, 0u);
}

TEST(GroupTest, AnyLayoutIsReadThroughAnySlotLayout) {
  LocalRing ring = make_ring(16);
  Producer producer(ring);
  GroupMember<AnySlotLayout> member(Group::create(ring));
  publish(producer, 2);
  auto event = std::make_unique<AnyEvent>();
  ASSERT_EQ(member.try_read(*event), ReadStatus::kEvent);
  ASSERT_EQ(member.try_read(*event), ReadStatus::kEvent);
  EXPECT_EQ(event->get<std::uint64_t>(), 1u);
}

TEST(GroupTest, AForkDoesNotKeepADeadMemberAlive) {
  LocalRing ring = make_ring(16);
  Producer producer(ring);
  const Group group = Group::create(ring);
  publish(producer, 4);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  pid_t grandchild = 0;
  run_child([&] {
    auto* member = new Member(group);
    std::array<Event, 4> events;
    member->read_burst(std::span<Event>(events));
    if (::fork() == 0) {
      const pid_t pid = ::getpid();  // told from here: its fork is over, handlers and all
      if (::write(pipe[1], &pid, sizeof(pid)) != sizeof(pid)) ::_exit(1);
      for (;;) ::pause();
    }
    ::_exit(0);
  });
  ::close(pipe[1]);
  ASSERT_EQ(::read(pipe[0], &grandchild, sizeof(grandchild)),
            static_cast<ssize_t>(sizeof(grandchild)));
  EXPECT_EQ(group.dead_count(), 1u);
  EXPECT_TRUE(Recovery::begin(group).has_value());
  ::kill(grandchild, SIGKILL);
  ::close(pipe[0]);
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  void tell(char what) const { EXPECT_EQ(::write(ends_[1], &what, 1), 1); }
  char hear() const {
    char what = 0;
    EXPECT_EQ(::read(ends_[0], &what, 1), 1);
    return what;
  }

 private:
  std::array<int, 2> ends_{};
};

LocalRing ring_of_one_seat() {
  return LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated, .registered_count_max = 1});
}

// Or the seat goes to somebody else, whose cursor the member moves.
TEST(GroupTest, AGatedGroupKeepsItsSeatWhileAForkedMemberLives) {
  LocalRing ring = ring_of_one_seat();
  const Pipe up;
  const Pipe joined;
  const Pipe down;
  run_child([&] {
    const Group group = Group::create(ring);
    if (::fork() != 0) {
      joined.hear();
      ::_exit(0);
    }
    {
      Member member(group);
      joined.tell('j');
      down.hear();
      std::array<Event, 64> events;
      up.tell(member.read_burst(std::span<Event>(events)).count == 64 ? 'r' : 'n');
    }
    up.tell('l');
  });
  EXPECT_THROW(static_cast<void>(ring.register_consumer()), std::system_error)
      << "the seat is the group's";
  Producer producer(ring, WhenFull::kRefuse);
  publish(producer, 200);
  EXPECT_EQ(producer.published(), 64u) << "gated";
  down.tell('r');
  EXPECT_EQ(up.hear(), 'r');
  ASSERT_EQ(up.hear(), 'l');
  EXPECT_EQ(ring.registered_count(), 0u);
}

TEST(GroupTest, AForkedChildDoesNotJoinWhenTheSeatIsSomebodyElses) {
  LocalRing ring = ring_of_one_seat();
  const Pipe up;
  const Pipe down;
  run_child([&] {
    const Group group = Group::create(ring);
    if (::fork() != 0) ::_exit(0);
    up.tell('r');  // fork() has returned here: the lease of the dead is let go
    down.hear();
    try {
      const Member member(group);
      up.tell('j');
    } catch (const std::system_error& error) {
      up.tell(error.code().value() == EOWNERDEAD ? 'd' : 'o');
    }
    ::_exit(0);
  });
  ASSERT_EQ(up.hear(), 'r');
  const Registration next = ring.register_consumer();
  down.tell('g');
  EXPECT_EQ(up.hear(), 'd');
}

TEST(GroupTest, TheLivingAreNotRecovered) {
  LocalRing ring = make_ring(16);
  Producer producer(ring);
  const Group group = Group::create(ring);
  Member member(group);
  publish(producer, 4);
  std::array<Event, 4> events;
  ASSERT_EQ(member.read_burst(std::span<Event>(events)).count, 4u);
  EXPECT_FALSE(Recovery::begin(group).has_value());
  EXPECT_EQ(group.dead_count(), 0u);
  // Nor from another process.
  EXPECT_EQ(run_child([&] { ::_exit(Recovery::begin(group).has_value() ? 1 : 0); }), 0);
}

/// Shares the file of a gated ring's group with a killed member.
TEST(GroupTest, ADeadMemberHoldsTheGateUntilItIsRecovered) {
  LocalRing ring = make_ring(8, Mode::kGated);
  const Group group = Group::create(ring);
  Producer producer(ring, WhenFull::kRefuse);
  publish(producer, 8);
  run_child([&] {
    auto* member = new Member(group);
    std::array<Event, 3> events;
    member->read_burst(std::span<Event>(events));
    ::kill(::getpid(), SIGKILL);
  });
  Member living(group);
  std::array<Event, 8> events;
  EXPECT_EQ(living.read_burst(std::span<Event>(events)).count, 5u);
  EXPECT_EQ(living.try_read(events[0]), ReadStatus::kEmpty);
  EXPECT_EQ(producer.publish(event_numbered(8)), PublishStatus::kDropped);

  auto recovery = Recovery::begin(group);
  ASSERT_TRUE(recovery.has_value());
  EXPECT_EQ(recovery->read_burst(std::span<Event>(events)).count, 3u);
  EXPECT_EQ(events[0].sequence, 0u);
  recovery->commit();
  EXPECT_EQ(producer.publish(event_numbered(8)), PublishStatus::kPublished);
  EXPECT_EQ(group.dead_count(), 0u);
  expect_balanced(group);
}

TEST(GroupTest, ARecordOfWhatWasNeverPublishedIsNotRecovered) {
  LocalRing ring = make_ring(16);
  Producer producer(ring);
  const Group group = Group::create(ring);
  publish(producer, 4);
  constexpr std::uint64_t kEnd = 1ULL << 40;
  evring_group_page& page = group.page();
  store_relaxed(group_word(page.member[5].entry[0].to), kEnd);
  store_relaxed(group_word(page.confirmed[5]), kEnd);
  fetch_or(group_word(page.joined), 1ULL << 5);
  auto recovery = Recovery::begin(group);
  ASSERT_TRUE(recovery.has_value());
  EXPECT_EQ(recovery->from(), recovery->to());
  std::array<Event, 8> events;
  EXPECT_EQ(recovery->read_burst(events).status, ReadStatus::kEmpty);
}

TEST(GroupTest, HostileRecordsEndInNoLoopAndNoReadOutside) {
  std::mt19937_64 random(20260101);
  for (unsigned round = 0; round < 200; ++round) {
    LocalRing ring = make_ring(16);
    Producer producer(ring);
    const Group group = Group::create(ring);
    Member member(group);
    publish(producer, 40);
    evring_group_page& page = group.page();
    auto* words = reinterpret_cast<std::uint64_t*>(&page.joined);
    constexpr std::size_t kFrom = EVRING_OFFSETOF(evring_group_page, joined);
    for (std::size_t i = 0; i < (sizeof(page) - kFrom) / 8; ++i) {
      if (random() % 2 == 0) store_relaxed(words + i, random() >> (random() % 64));
    }
    std::array<Event, 8> events;
    for (unsigned i = 0; i < 20; ++i)
      EXPECT_LE(member.read_burst(std::span<Event>(events)).count, 8u);
    for (unsigned i = 0; i < 70; ++i) {
      auto recovery = Recovery::begin(group);
      if (!recovery) break;
      for (unsigned k = 0; k < 10; ++k) EXPECT_LE(recovery->read_burst(events).count, 8u);
    }
    static_cast<void>(group.balance(10));
  }
}

}  // namespace
}  // namespace evring
