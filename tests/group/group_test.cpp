// SPDX-License-Identifier: MIT
// Groups: each event to exactly one member, every loss counted once.
#include <array>
#include <cstdint>
#include <list>
#include <memory>
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

}  // namespace
}  // namespace evring
