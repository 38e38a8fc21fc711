// SPDX-License-Identifier: MIT
// Cases of the comparison: what a loop's record says, and what cannot be run.
#include <gtest/gtest.h>

#include <bench/comparison/loops.hpp>
#include <bench/measure/stopped_consumer.hpp>

#include <stdexcept>

namespace evring::bench {
namespace {

TEST(CaseTest, IsInexactWhereAPayloadWasTorn) {
  ThroughputResult torn{.published = 100, .publish_seconds = 1, .seconds = 1, .verdict = {}};
  torn.verdict = {.exact = false, .received = 100, .lost = 0, .torn = 1, .out_of_order = 0};
  EXPECT_FALSE(rate_record(torn, 100)["exact"].get<bool>());
  torn.verdict.exact = true;
  EXPECT_TRUE(rate_record(torn, 100)["exact"].get<bool>());
}

TEST(CaseTest, RefusesALoopOrAVariantThatIsNotThere) {
  EXPECT_THROW(run_case({.loop = "no such loop"}), std::invalid_argument);
  EXPECT_THROW(run_case({.contender = "evring-gated", .variant = "nowhere"}),
               std::invalid_argument);
}

TEST(StoppedConsumerTest, KeepsTheAccountOfTheOtherOne) {
  for (const Halt halt : {Halt::kStopped, Halt::kKilled}) {
    const StoppedResult result = run_stopped_consumer(
        {.turn_count = 2, .turn = std::chrono::milliseconds(3), .halt = halt, .placement = {}});
    EXPECT_TRUE(result.exact);
    EXPECT_GT(result.rate_with, 0);
    EXPECT_GT(result.rate_without, 0);
  }
}

}  // namespace
}  // namespace evring::bench
