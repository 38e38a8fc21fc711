// SPDX-License-Identifier: MIT
// Pollers that share the events of a ring as members of a group.
#include "support.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>

namespace evring {
namespace {

class SharedTest : public testing::TestWithParam<WaitStrategy> {
 protected:
  static PollerOptions options() {
    PollerOptions options;
    options.strategy = GetParam();
    options.spin = std::chrono::microseconds(5);
    options.burst_count = 8;
    return options;
  }

  /// Publishes `count` numbers to two pollers; each must come to one of them.
  void share(LocalRing ring, Group group, std::uint64_t count) {
    RunningPoller first(options());
    RunningPoller second(options());
    std::array<RunningPoller*, 2> pollers{&first, &second};
    for (RunningPoller* each : pollers) (*each)->add(GroupSource::of(ring, group));
    for (RunningPoller* each : pollers) each->start();
    Producer producer(ring);
    const auto received = [&] {
      return first->counters(0).received.get() + second->counters(0).received.get();
    };
    for (std::uint64_t i = 0; i < count; ++i) {
      producer.publish(event_of(i));
      if (i % 32 == 31) {
        ASSERT_TRUE(eventually([&] { return received() == i + 1; }));
      }
    }
    ASSERT_TRUE(eventually([&] { return received() == count; }));
    for (RunningPoller* each : pollers) each->stop();
    std::vector<std::uint64_t> all = first.values(0);
    all.insert(all.end(), second.values(0).begin(), second.values(0).end());
    std::sort(all.begin(), all.end());
    std::vector<std::uint64_t> wanted(count);
    std::iota(wanted.begin(), wanted.end(), 0);
    EXPECT_EQ(all, wanted);
    for (RunningPoller* each : pollers) {
      const RingCounters& counts = (*each)->counters(0);
      EXPECT_EQ(counts.received + counts.lost, counts.cursor - counts.start);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Strategies, SharedTest, kEveryStrategy, strategy_name);

TEST_P(SharedTest, EachEventGoesToOnePoller) {
  LocalRing ring = small_ring();
  share(ring, Group::create(ring), 640);
}

TEST_P(SharedTest, AGatedRingGoesOnWhenItsMembersDo) {
  LocalRing ring = small_ring(Mode::kGated, 64);
  share(ring, Group::create(ring), 640);
}

TEST(SharedPollerTest, SaysWhyItHasNoDoorbellInAGatedRing) {
  LocalRing ring = small_ring(Mode::kGated, 8);
  Group group = Group::create(ring);
  Producer producer(ring, WhenFull::kRefuse);
  Poller poller;
  poller.add(GroupSource::of(ring, group));
  EXPECT_EQ(poller.rung(0).rung, Rung::kSpin);
  EXPECT_NE(poller.rung(0).reason.find("member of a group"), std::string::npos);
  for (std::uint64_t i = 0; i < 40; ++i) {
    ASSERT_EQ(producer.publish(event_of(i)), PublishStatus::kPublished) << "a seat nobody moves";
    for (int look = 0; look < 20; ++look) poller.poll_once(kIgnore);
  }
}

TEST(SharedPollerTest, CountsWhatItsMemberLostAndReportsIt) {
  std::uint64_t reported = 0;
  PollerOptions options;
  options.strategy = WaitStrategy::kBusySpin;
  options.on_overrun = [&](unsigned, std::uint64_t lost) { reported += lost; };
  LocalRing ring = small_ring(Mode::kOverwrite, 8);
  Group group = Group::create(ring);
  Producer producer(ring);
  Poller poller(std::move(options));
  poller.add(GroupSource::of(ring, group));
  for (std::uint64_t i = 0; i < 100; ++i) producer.publish(event_of(i));
  std::uint64_t received = 0;
  poller.drain([&](unsigned, std::span<const Event> events) { received += events.size(); });
  const RingCounters& counts = poller.counters(0);
  EXPECT_EQ(counts.received, received);
  EXPECT_EQ(counts.cursor, 100U);
  EXPECT_EQ(counts.received + counts.lost, 100U);
  EXPECT_GT(counts.lost, 0U);
  EXPECT_EQ(reported, counts.lost);
  poller.poll_once(kIgnore);  // finds nothing: what was handed over is done with
  EXPECT_EQ(group.balance()->lost, counts.lost);
}

TEST(SharedPollerTest, ARemovedMemberLeavesTheRestToTheOthers) {
  LocalRing ring = small_ring();
  Group group = Group::create(ring);
  Producer producer(ring);
  Poller leaving;
  Poller staying;
  leaving.add(GroupSource::of(ring, group));
  staying.add(GroupSource::of(ring, group));
  EXPECT_EQ(group.balance()->member_count, 2U);
  leaving.remove(0);
  leaving.poll_once(kIgnore);
  EXPECT_EQ(group.balance()->member_count, 1U);
  for (std::uint64_t i = 0; i < 10; ++i) producer.publish(event_of(i));
  EXPECT_EQ(staying.drain(kIgnore), 10U);
  EXPECT_EQ(staying.member(0).received(), 10U);
}

TEST(GroupSourceTest, RefusesALinkThatIsNotTheGroups) {
  LocalRing ring = small_ring(Mode::kGated);
  LocalRing other = small_ring(Mode::kGated, 128);
  const Group group = Group::create(ring);
  EXPECT_THROW(GroupSource::from(RingLink::of(ring), group), std::invalid_argument) << "has a seat";
  EXPECT_THROW(GroupSource::of(other, group), std::invalid_argument);
  EXPECT_NO_THROW(GroupSource::of(ring, group));
}

}  // namespace
}  // namespace evring
