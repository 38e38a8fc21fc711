// SPDX-License-Identifier: MIT
// A member of a group that is killed, at whatever step, takes no event with it; what it
// held is read again, by a recovery that may be killed as well.
#include <signal.h>

#include <array>
#include <cstdint>
#include <span>
#include <tuple>

#include "group_support.hpp"

namespace evring {
namespace {

using namespace group_test;

/// Kills this process when a step was reached often enough.
struct KillSwitch {
  GroupStep step{};
  unsigned left = 0;
};
KillSwitch kill_switch;

struct KillHook {
  void operator()(GroupStep step) const noexcept {
    if (step == kill_switch.step && kill_switch.left != 0 && --kill_switch.left == 0) {
      ::kill(::getpid(), SIGKILL);
    }
  }
};

constexpr std::array kAllSteps = {
    GroupStep::kEntryHalf, GroupStep::kEntryStored, GroupStep::kRoundStored, GroupStep::kHelped,
    GroupStep::kClaimed,   GroupStep::kEventCopied, GroupStep::kBurstRead};

/// (step, at which occurrence, burst, whether another member claims in between)
class GroupDeathTest
    : public testing::TestWithParam<std::tuple<GroupStep, unsigned, unsigned, bool>> {};
INSTANTIATE_TEST_SUITE_P(EachStep, GroupDeathTest,
                         testing::Combine(testing::ValuesIn(kAllSteps), testing::Values(1, 2, 5),
                                          testing::Values(1, 4), testing::Bool()));

TEST_P(GroupDeathTest, LosesNothingAndRepeatsOneBurstAtMost) {
  const auto [step, occurrence, burst_count, others_claim] = GetParam();
  constexpr std::uint64_t kFirst = kNear2To64;
  constexpr std::uint64_t kCount = 200;
  LocalRing ring = make_ring(256, Mode::kOverwrite, kFirst);
  Producer producer(ring);
  const Group group = Group::create(ring);
  Deliveries deliveries(kFirst, kCount);
  publish(producer, kCount);

  run_child([&, step = step, occurrence = occurrence, burst = burst_count] {
    Member other(group);  // dies as well, with nothing or one event in hand
    GroupMember<DefaultSlot, KillHook> doomed(group);
    kill_switch = {step, occurrence};
    std::array<Event, 4> events;
    for (unsigned i = 0; i < 40; ++i) {
      const Burst read = doomed.read_burst(std::span<Event>(events).first(burst));
      for (const Event& event : std::span(events).first(read.count)) deliveries.note(event);
      if (other.try_read(events[0]) == ReadStatus::kEvent) deliveries.note(events[0]);
      other.commit();
    }
    ::kill(::getpid(), SIGKILL);
  });

  Event event;
  std::uint64_t survivor_received = 0;
  expect_balanced(group);
  if (others_claim) {  // overwrites the claim word that named the dead
    Member survivor(group);
    while (survivor.try_read(event) == ReadStatus::kEvent) deliveries.note(event);
    survivor_received = survivor.received();
    expect_balanced(group);
  }
  const std::uint64_t held = group.balance()->held;
  std::uint64_t recovered = 0;
  std::array<Event, 3> events;
  while (auto recovery = Recovery::begin(group)) {
    for (Burst read; (read = recovery->read_burst(events)).status == ReadStatus::kEvent;) {
      for (const Event& again : std::span(events).first(read.count)) deliveries.note(again);
    }
    recovered += recovery->received();
  }
  EXPECT_EQ(recovered, held);
  EXPECT_LE(held, std::uint64_t{burst_count});
  if (!others_claim) {
    Member survivor(group);
    while (survivor.try_read(event) == ReadStatus::kEvent) deliveries.note(event);
    survivor_received = survivor.received();
  }
  EXPECT_GT(survivor_received, 0u);
  EXPECT_EQ(group.claim(), kFirst + kCount);
  EXPECT_EQ(deliveries.wrong(), 0u);
  EXPECT_EQ(deliveries.delivered(0), 0u) << "an event that nobody got";
  const bool was_handed_out = deliveries.delivered(1) != kCount;
  EXPECT_EQ(deliveries.delivered(1) + deliveries.delivered(2), kCount);
  EXPECT_LE(deliveries.delivered(2), held);
  if (was_handed_out) {
    EXPECT_GT(held, 0u);
  }
  EXPECT_EQ(group.dead_count(), 0u);
  EXPECT_EQ(group.balance()->held, 0u);
  EXPECT_EQ(group.balance()->received, kCount);
  expect_balanced(group);
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
  die_in_the_middle<3>(group);
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

TEST(GroupTest, ARecoveryThatDiesIsRecovered) {
  for (const GroupStep step : {GroupStep::kEntryHalf, GroupStep::kEntryStored,
                               GroupStep::kRoundStored, GroupStep::kBurstRead}) {
    for (unsigned occurrence = 1; occurrence <= 3; ++occurrence) {
      LocalRing ring = make_ring(32);
      Producer producer(ring);
      const Group group = Group::create(ring);
      Deliveries deliveries(0, 12);
      publish(producer, 12);
      die_in_the_middle<12>(group);
      run_child([&] {
        kill_switch = {step, occurrence};
        auto recovery = GroupRecovery<DefaultSlot, KillHook>::begin(group);
        std::array<Event, 4> events;
        for (Burst read; (read = recovery->read_burst(events)).count != 0;) {
          for (const Event& event : std::span(events).first(read.count)) deliveries.note(event);
        }
      });
      expect_balanced(group);
      std::array<Event, 4> events;
      while (auto recovery = Recovery::begin(group)) {
        for (Burst read; (read = recovery->read_burst(events)).count != 0;) {
          for (const Event& event : std::span(events).first(read.count)) deliveries.note(event);
        }
      }
      EXPECT_EQ(deliveries.delivered(0), 0u);
      EXPECT_LE(deliveries.delivered(2), 4u) << "at most the burst in hand";
      EXPECT_EQ(deliveries.delivered(1) + deliveries.delivered(2), 12u);
      EXPECT_EQ(group.balance()->received, 12u);
      expect_balanced(group);
    }
  }
}

TEST(GroupTest, ARecoveryGivenUpHalfWayLeavesTheRest) {
  LocalRing ring = make_ring(32);
  Producer producer(ring);
  const Group group = Group::create(ring);
  publish(producer, 10);
  die_in_the_middle<10>(group);
  std::array<Event, 4> events;
  {
    auto recovery = Recovery::begin(group);
    ASSERT_TRUE(recovery.has_value());
    EXPECT_EQ(recovery->read_burst(events).count, 4u);
    EXPECT_EQ(recovery->read_burst(events).count, 4u);  // the second is not committed
    EXPECT_FALSE(Recovery::begin(group).has_value()) << "two recoveries of one member";
  }
  auto recovery = Recovery::begin(group);
  ASSERT_TRUE(recovery.has_value());
  EXPECT_EQ(recovery->from(), 4u);
  EXPECT_EQ(recovery->to(), 10u);
}

TEST(GroupTest, ARecoveryCountsWhatWasOverwrittenMeanwhile) {
  LocalRing ring = make_ring(8);
  Producer producer(ring);
  const Group group = Group::create(ring);
  publish(producer, 6);
  die_in_the_middle<6>(group);
  publish(producer, 6);  // 0..3 are gone, 4 and 5 are not
  auto recovery = Recovery::begin(group);
  ASSERT_TRUE(recovery.has_value());
  std::array<Event, 8> events;
  EXPECT_EQ(recovery->read_burst(events).count, 2u);
  EXPECT_EQ(recovery->lost(), 4u);
  EXPECT_EQ(recovery->read_burst(events).status, ReadStatus::kEmpty);
  EXPECT_EQ(group.balance()->lost, 4u);
  expect_balanced(group);
}

}  // namespace
}  // namespace evring
