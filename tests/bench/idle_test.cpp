// SPDX-License-Identifier: MIT
// The loops with rings of their own: what they count, and that they say so.
#include <bench/rig/loops.hpp>

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

/// A poller that other work keeps from its CPU takes two batches at once and is rung less, rightly:
/// as often as the formula says in a run in which it has its CPU.
TEST(ModerationTest, DoorbellsFollowTheFormulaByCount) {
  bool followed = false;
  for (int run = 0; run < 100 && !followed; ++run) {
    const Record record = moderation({.variant = "count"});
    ASSERT_TRUE(record["exact"]);
    ASSERT_EQ(record["expected"], 20);
    followed = record["value"] == 0;
  }
  EXPECT_TRUE(followed) << "in none of 100 runs";
}

TEST(ParkedWakeTest, OneDoorbellAnIdlePeriod) {
  const Record record = parked_wake({.event_count = 5, .fifo = false});
  EXPECT_TRUE(record["exact"]);
  EXPECT_EQ(record["doorbells_an_idle_period"], 1.0);
  EXPECT_GT(record["poller_p50_ns"], 0);
  EXPECT_GT(record["eventfd_p50_ns"], 0);
}

TEST(ParkedIdleTest, APollerThatIsParkedForGoodDoesNotWake) {
  const Record record = parked_idle({.fifo = false});
  EXPECT_TRUE(record["exact"]);
  EXPECT_EQ(record["wake_ups"], 0);
  EXPECT_LT(record["value"], 100'000) << "a spinning one takes a million";
}

TEST(DoorbellLookTest, BothSidesPublishAndNobodyIsRung) {
  const Record record = doorbell_look({.burst_count = 1, .fifo = false});
  EXPECT_TRUE(record["exact"]);
  EXPECT_GT(record["value"], 0);
}

TEST(StoppedConsumerTest, KeepsTheAccountOfTheOtherOne) {
  for (const char* how : {"stopped", "killed"}) {
    const Record record = stopped_consumer({.variant = how, .duration_ms = 3, .fifo = false});
    EXPECT_TRUE(record["exact"]) << how;
    EXPECT_GT(record["rate_with"], 0);
    EXPECT_GT(record["rate_without"], 0);
  }
}

class PollersTest : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Strategies, PollersTest, testing::Values("busy-spin", "adaptive"),
                         [](const auto& each) {
                           return each.param[0] == 'a' ? "Adaptive" : "BusySpin";
                         });

TEST_P(PollersTest, EveryEventComesWithManyRingsAsWithOne) {
  for (const double rate_hz : {0.0, 20'000.0}) {
    const Record record = many_rings({.variant = GetParam(),
                                      .ring_count = 32,
                                      .rate_hz = rate_hz,
                                      .duration_ms = 10,
                                      .fifo = false});
    EXPECT_TRUE(record["exact"]);
    EXPECT_GT(record["among_many"]["events_per_second"], 0);
  }
}

TEST(RateSweepTest, EveryEventComesHoweverOneWaits) {
  const Record record = rate_sweep({.rate_hz = 20'000, .duration_ms = 10, .fifo = false});
  EXPECT_TRUE(record["exact"]);
  for (const char* how : {"spin", "park", "adaptive"}) {
    EXPECT_GT(record[how]["events_per_second"], 0) << how;
  }
}

}  // namespace
}  // namespace evring::bench
