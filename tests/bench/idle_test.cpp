// SPDX-License-Identifier: MIT
// The loops of pollers and doorbells: what they count, and that they notice a fault.
#include <bench/measure/doorbell_look.hpp>
#include <bench/measure/many_rings.hpp>
#include <bench/measure/parked.hpp>
#include <bench/measure/rate_sweep.hpp>

#include <gtest/gtest.h>

namespace evring::bench {
namespace {

using namespace std::chrono_literals;

TEST(ModerationTest, TheFormulaTakesWhateverComesFirst) {
  EXPECT_EQ(expected_doorbells({.burst_count = 8, .gap = 1ms, .batch_count = 60}), 60u)
      << "without a time to wait, the first event rings";
  const Moderation by_count{
      .wake_events = 10, .wake = 1s, .burst_count = 4, .gap = 1ms, .batch_count = 60};
  EXPECT_EQ(expected_doorbells(by_count), 20u) << "every third batch reaches ten events";
  const Moderation by_time{
      .wake_events = 1000, .wake = 25ms, .burst_count = 4, .gap = 10ms, .batch_count = 31};
  EXPECT_EQ(expected_doorbells(by_time), 11u) << "three batches in 25 ms, and one left over";
}

TEST(ModerationTest, DoorbellsFollowTheFormulaByCount) {
  const ModerationResult result = run_moderation(
      {.wake_events = 6, .wake = 10s, .burst_count = 2, .gap = 20ms, .batch_count = 9}, {});
  EXPECT_TRUE(result.exact);
  EXPECT_EQ(result.expected, 3u);
  EXPECT_EQ(result.rung, result.expected);
  EXPECT_EQ(result.woken, result.expected);
}

TEST(ParkedWakeTest, OneDoorbellAnIdlePeriod) {
  const ParkedWakeResult result = run_parked_wake({.round_count = 5});
  EXPECT_TRUE(result.exact);
  EXPECT_EQ(result.doorbells, 5u);
  EXPECT_GT(result.poller_p50_ns, 0);
  EXPECT_GT(result.eventfd_p50_ns, 0);
}

TEST(ParkedIdleTest, APollerThatIsParkedForGoodDoesNotWake) {
  const ParkedIdleResult result = run_parked_idle(100ms, false, {});
  EXPECT_TRUE(result.exact);
  EXPECT_EQ(result.wake_ups, 0u);
  EXPECT_LT(result.poller_cpu_us, 10'000) << "a spinning one takes 100,000";
}

TEST(DoorbellLookTest, BothSidesPublishAndNobodyIsRung) {
  const DoorbellLookResult result =
      run_doorbell_look({.burst_count = 1, .turn_count = 2, .turn = 200us});
  EXPECT_TRUE(result.exact);
  EXPECT_GT(result.ratio, 0);
}

class RigTest : public testing::TestWithParam<WaitStrategy> {};

INSTANTIATE_TEST_SUITE_P(Strategies, RigTest,
                         testing::Values(WaitStrategy::kBusySpin, WaitStrategy::kAdaptive),
                         [](const auto& each) {
                           return each.param == WaitStrategy::kAdaptive ? "Adaptive" : "BusySpin";
                         });

TEST_P(RigTest, EveryEventComesWithManyRingsAsWithOne) {
  ManyRingsOptions options{.strategy = GetParam(), .ring_count = 32, .turn_count = 2};
  options.load = {.warm_up = 5ms, .duration = 10ms};
  for (const double rate_hz : {0.0, 20'000.0}) {
    options.load.rate_hz = rate_hz;
    const ManyRingsResult result = run_many_rings(options);
    EXPECT_TRUE(result.alone.exact);
    EXPECT_TRUE(result.among_many.exact);
    EXPECT_GT(result.among_many.events_per_second, 0);
  }
}

TEST(RateSweepTest, ComparesWithTheWorseOfSpinAndPark) {
  RateSweepResult result;
  result.spin = {.events_per_second = 100, .p50_ns = 1};
  result.park = {.events_per_second = 50, .p50_ns = 20};
  result.adaptive = {.events_per_second = 45, .p50_ns = 25};
  EXPECT_DOUBLE_EQ(result.throughput_ratio(), 0.9);
  EXPECT_DOUBLE_EQ(result.latency_ratio(), 0.8);
}

}  // namespace
}  // namespace evring::bench
