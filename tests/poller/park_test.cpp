// SPDX-License-Identifier: MIT
// Parking on local rings, on every rung that they can have.
#include "support.hpp"

#include <sys/resource.h>

namespace evring {
namespace {

class ParkTest : public ParkingTest {
 protected:
  /// Whether the poller, which is started, parks over that ring.
  static bool sleeps_over(RunningPoller& poller, const LocalRing& ring) {
    poller->add(PollSource::of(ring));
    poller.start();
    return poller.parks_again(0);
  }
};

INSTANTIATE_TEST_SUITE_P(Rungs, ParkTest, testing::Values(Rung::kUringPoll, Rung::kEpoll),
                         [](const auto& each) {
                           return each.param == Rung::kEpoll ? "Epoll" : "IoUring";
                         });

TEST_P(ParkTest, TakesTheRungThatIsAskedFor) {
  Poller poller(parking());
  poller.add(PollSource::of(small_ring()));
  EXPECT_EQ(poller.rung(0).rung, GetParam());
  EXPECT_FALSE(poller.rung(0).reason.empty());
}

TEST_P(ParkTest, WakesOncePerDoorbellAndTakesOneCompletion) {
  constexpr std::uint64_t kEventCount = 50;
  LocalRing ring = small_ring();
  Producer producer(ring);
  RunningPoller poller(parking());
  poller->add(PollSource::of(ring));
  poller.start();
  for (std::uint64_t i = 0; i < kEventCount; ++i) {
    ASSERT_TRUE(poller.parks_again(i));
    producer.publish(event_of(i));
    ASSERT_TRUE(eventually([&] { return poller->counters(0).received == i + 1; }));
  }
  ASSERT_TRUE(poller.parks_again(kEventCount));
  EXPECT_EQ(poller->counters().wakes, kEventCount);
  EXPECT_EQ(poller->counters().spurious_wakes, 0u);
  EXPECT_EQ(poller->counters().completions, kEventCount) << "one completion per wake-up";
  EXPECT_EQ(poller->counters(0).doorbells, kEventCount);
  EXPECT_EQ(producer.doorbells_rung(), kEventCount);
  poller.stop();
  EXPECT_EQ(poller->counters().parks, kEventCount + 1);
  EXPECT_EQ(poller.values(0).size(), kEventCount);
}

TEST_P(ParkTest, OneDoorbellPerIdlePeriodHoweverManyEvents) {
  LocalRing ring = small_ring(Mode::kOverwrite, 4096);
  Producer producer(ring);
  RunningPoller poller(parking());
  ASSERT_TRUE(sleeps_over(poller, ring));
  const std::vector<Event> batch(1000, event_of(7));
  EXPECT_EQ(producer.publish_batch(batch), batch.size());
  ASSERT_TRUE(eventually([&] { return poller->counters(0).received == 1000; }));
  EXPECT_EQ(producer.doorbells_rung(), 1u);
  EXPECT_EQ(poller->counters().wakes, 1u);
}

TEST_P(ParkTest, WaitsForTheWatermark) {
  PollerOptions options = parking();
  options.arm.wake_events = 10;
  options.arm.wake = std::chrono::minutes(10);
  LocalRing ring = small_ring();
  Producer producer(ring);
  RunningPoller poller(std::move(options));
  ASSERT_TRUE(sleeps_over(poller, ring));
  for (std::uint64_t i = 0; i < 9; ++i) producer.publish(event_of(i));
  EXPECT_EQ(poller->counters().wakes, 0u);
  producer.publish(event_of(9));
  ASSERT_TRUE(eventually([&] { return poller->counters(0).received == 10; }));
  EXPECT_EQ(producer.doorbells_rung(), 1u);
  EXPECT_EQ(poller->counters().wakes, 1u);
}

TEST_P(ParkTest, TheTimeAfterTheFirstEventRingsToo) {
  PollerOptions options = parking();
  options.arm.wake_events = 60;
  options.arm.wake = std::chrono::microseconds(500);
  LocalRing ring = small_ring();
  Producer producer(ring);
  RunningPoller poller(std::move(options));
  ASSERT_TRUE(sleeps_over(poller, ring));
  producer.publish(event_of(1));
  ASSERT_TRUE(eventually([&] { return poller->counters(0).received == 1; }));
  EXPECT_EQ(poller->counters().wakes, 1u);
}

TEST_P(ParkTest, CostsNoCpuTimeWhileParked) {
  RunningPoller poller(parking());
  ASSERT_TRUE(sleeps_over(poller, small_ring()));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto empty_polls = poller->counters().empty_polls.get();
  const auto parks = poller->counters().parks.get();
  rusage before{};
  rusage after{};
  getrusage(RUSAGE_SELF, &before);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(poller->counters().empty_polls, empty_polls) << "it looked at memory while parked";
  EXPECT_EQ(poller->counters().parks, parks) << "it woke while nothing came";
  const auto used_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                       (after.ru_utime.tv_usec - before.ru_utime.tv_usec);
  EXPECT_LT(used_us, 150000) << "a spinning poller would use 300,000";
}

TEST_P(ParkTest, AStopWakesAParkedPoller) {
  RunningPoller poller(parking());
  ASSERT_TRUE(sleeps_over(poller, small_ring()));
  const auto begin = std::chrono::steady_clock::now();
  poller.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30))
      << "max_idle is a minute";
}

TEST_P(ParkTest, ARequestToStopWakesIt) {
  RunningPoller poller(parking());
  ASSERT_TRUE(sleeps_over(poller, small_ring()));
  poller->request_stop();
  EXPECT_EQ(poller.join(), RunEnd::kStopped);
}

TEST_P(ParkTest, TheEndOfARingWakesIt) {
  const FreshRuntimeDir runtime_dir;
  GoneReason reason = GoneReason::kNot;
  unsigned gone_ring = 99;
  PollerOptions options = parking();
  options.on_gone = [&](unsigned ring, GoneReason why) {
    gone_ring = ring;
    reason = why;
  };
  RunningPoller poller(std::move(options));
  const std::string name = "poller-test-" + std::to_string(getpid());
  LocalRingOptions named;
  named.name = name;
  std::optional<LocalRing> ring = LocalRing::named(named);
  std::optional<Producer> producer(*ring);
  poller->add(PollSource::open("local:" + name));
  poller.start();
  ASSERT_TRUE(poller.parks_again(0));
  producer->publish(event_of(3));
  producer.reset();
  ring.reset();
  EXPECT_EQ(poller.join(), RunEnd::kAllGone);
  EXPECT_EQ(gone_ring, 0u);
  EXPECT_EQ(reason, GoneReason::kClosed);
  EXPECT_EQ(poller.values(0), std::vector<std::uint64_t>{3}) << "what came before is still due";
}

TEST_P(ParkTest, ABusyRingDoesNotHideAnArmedOne) {
  PollerOptions options = parking();
  options.strategy = WaitStrategy::kAdaptive;
  options.spin = std::chrono::microseconds(10);
  LocalRing busy = small_ring(Mode::kGated);
  LocalRing quiet = small_ring();
  Producer busy_producer(busy);
  Producer quiet_producer(quiet);
  RunningPoller poller(std::move(options));
  poller->add(PollSource::of(busy));
  poller->add(PollSource::of(quiet));
  poller.start();
  std::jthread load([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) busy_producer.publish(event_of(1));
  });
  ASSERT_TRUE(eventually([&] { return poller->counters(1).arms > 0; }));
  quiet_producer.publish(event_of(2));
  EXPECT_TRUE(eventually([&] { return poller->counters(1).received == 1; }));
}

}  // namespace
}  // namespace evring
