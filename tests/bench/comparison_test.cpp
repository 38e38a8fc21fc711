// SPDX-License-Identifier: MIT
// Bars held against rounds of our own making, and a plan that has what they need. No
// figure here is measured, so none can be wrong because the machine was busy.
#include <gtest/gtest.h>

#include <bench/comparison/bars.hpp>
#include <bench/comparison/loops.hpp>
#include <bench/comparison/plan.hpp>
#include <bench/comparison/rounds.hpp>
#include <bench/measure/stopped_consumer.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace evring::bench {
namespace {

using nlohmann::json;

json record(double value, bool exact = true) {
  return {{"value", value}, {"unit", "events/s"}, {"exact", exact}};
}

/// Rounds of two cases.
Rounds rounds_of(const std::vector<double>& a, const std::vector<double>& b) {
  Rounds rounds;
  for (std::size_t i = 0; i < a.size(); ++i) {
    rounds.push_back({{"a", record(a[i])}, {"b", record(b[i])}});
  }
  return rounds;
}

BarPart a_over_b(double limit, Better better = Better::kLarger) {
  return {.bar = 1,
          .name = "a / b",
          .better = better,
          .limit = limit,
          .ours = {{"a", figure_of("a")}},
          .theirs = {{"b", figure_of("b")}}};
}

TEST(BarTest, IsTheMedianOfRatiosWithinRounds) {
  // Slow phases meet both of a round. The ratio of the medians would be 3.
  const BarResult result = hold(a_over_b(2), rounds_of({100, 20, 30}, {100, 10, 10}));
  ASSERT_TRUE(result.value.has_value());
  EXPECT_DOUBLE_EQ(*result.value, 2);
  EXPECT_DOUBLE_EQ(result.p10, 1);
  EXPECT_DOUBLE_EQ(result.p90, 3);
  EXPECT_EQ(result.round_count, 3u);
  EXPECT_TRUE(result.pass);
  EXPECT_EQ(result.ours, "a");
  EXPECT_EQ(result.peer, "b");
}

TEST(BarTest, IsMissedOnTheWrongSideOfItsLimit) {
  EXPECT_FALSE(hold(a_over_b(2.1), rounds_of({200}, {100})).pass);
  EXPECT_TRUE(hold(a_over_b(2.1, Better::kSmaller), rounds_of({200}, {100})).pass);
  EXPECT_FALSE(hold(a_over_b(1.9, Better::kSmaller), rounds_of({200}, {100})).pass);
}

TEST(BarTest, WithoutAFigureIsNotPassed) {
  const BarResult none = hold(a_over_b(0), {Round{{"a", record(1)}}});
  EXPECT_FALSE(none.value.has_value());
  EXPECT_FALSE(none.pass);
  EXPECT_FALSE(hold(a_over_b(0), {}).pass);
  EXPECT_TRUE(to_json(none)["value"].is_null());
}

TEST(BarTest, TakesNoFigureFromARunThatDidNotAddUp) {
  ThroughputResult torn{.published = 100, .publish_seconds = 1, .seconds = 1, .verdict = {}};
  torn.verdict = {.exact = false, .received = 100, .lost = 0, .torn = 1, .out_of_order = 0};
  const Round round{{"a", rate_record(torn, 100)}, {"b", record(1)}};
  EXPECT_FALSE(value_of(round, "a").has_value());
  EXPECT_FALSE(hold(a_over_b(1), {round}).pass);
  EXPECT_FALSE(value_of(round, "c").has_value());
  EXPECT_FALSE(value_of({{"a", {{"failed", "no end within 10 s"}}}}, "a").has_value());
}

TEST(BarTest, ChoosesWhoHasTheBestMedianAndKeepsThem) {
  // "wild" is the best of one round; "steady" over all of them.
  const Rounds rounds = {{{"a", record(10)}, {"steady", record(10)}, {"wild", record(40)}},
                         {{"a", record(10)}, {"steady", record(10)}, {"wild", record(1)}},
                         {{"a", record(10)}, {"steady", record(10)}, {"wild", record(1)}}};
  BarPart part = a_over_b(1);
  part.theirs = {{"wild", figure_of("wild")},
                 {"steady", figure_of("steady")},
                 {"absent", figure_of("absent")}};
  const BarResult result = hold(part, rounds);
  EXPECT_EQ(result.peer, "steady");
  EXPECT_DOUBLE_EQ(result.p10, 1);
  EXPECT_DOUBLE_EQ(result.p90, 1);
  part.better = Better::kSmaller;
  EXPECT_EQ(hold(part, rounds).peer, "wild") << "of times the smallest is the best";
}

TEST(BarTest, ChoosesWithinRoundsWhereTheMachineHasPhases) {
  // "usual" is the better one in every phase; its median falls between two of them.
  const std::vector<double> usual = {40, 150, 100, 40, 150};
  const std::vector<double> slower = {30, 110, 110, 30, 110};
  Rounds rounds;
  for (std::size_t i = 0; i < usual.size(); ++i) {
    rounds.push_back({{"usual", record(usual[i])}, {"slower", record(slower[i])}});
  }
  const std::vector<Candidate> both = {{"slower", figure_of("slower")},
                                       {"usual", figure_of("usual")}};
  EXPECT_EQ(best_of(both, Better::kLarger, rounds)->name, "usual");
  EXPECT_EQ(best_of(both, Better::kSmaller, rounds)->name, "slower");
}

TEST(BarTest, ChoosesAmongZeros) {
  const Rounds rounds = {{{"a", record(0)}}};
  EXPECT_EQ(best_of({{"a", figure_of("a")}}, Better::kSmaller, rounds)->name, "a");
  EXPECT_EQ(best_of({{"b", figure_of("b")}}, Better::kSmaller, rounds), nullptr);
}

TEST(BarTest, SaysWhatKeepsItOnlyWhenMissed) {
  BarPart part = a_over_b(2);
  part.why_not = [](const Rounds&) { return std::optional<std::string>("the machine"); };
  EXPECT_EQ(to_json(hold(part, rounds_of({1}, {1})))["limit"], "the machine");
  EXPECT_FALSE(to_json(hold(part, rounds_of({2}, {1}))).contains("limit"));
}

TEST(PlanTest, RunsEveryCaseOfEveryBarInEveryRound) {
  for (const bool quick : {true, false}) {
    Round round;
    for (const CaseGroup& group : make_plan(quick)) {
      if (group.share == Share::kThird) continue;
      for (const Case& each : group.cases) {
        json all = record(1);
        for (const char* key : {"received", "published", "one_line_ns", "two_line_ns",
                                "delivered_ratio", "paced_lost_more"}) {
          all[key] = 1;
        }
        round[each.id()] = all;
      }
    }
    for (const BarPart& part : all_bars()) {
      if (part.ours.empty() || part.bar == 13 || part.bar == 14) continue;  // measured in a guest
      if (part.bar >= 9 && part.bar <= 12) continue;  // loops with keys of their own
      EXPECT_TRUE(hold(part, {round}).value.has_value()) << part.bar << " " << part.name;
    }
  }
}

TEST(PlanTest, HasEachBarOfTheTable) {
  std::set<unsigned> bars;
  for (const BarPart& part : all_bars()) bars.insert(part.bar);
  EXPECT_EQ(bars.size(), 15u);
  EXPECT_EQ(*bars.rbegin(), 15u);
}

TEST(BarTest, TakesTheBetterPlacementOfEachSide) {
  Round round;
  const auto add = [&round](const std::string& contender, const std::string& variant,
                            double value) {
    Case one{.contender = contender, .variant = variant};
    one.consumer_count = 2;
    round[one.id()] = record(value);
  };
  add("evring-gated", "", 30);
  add("evring-gated", std::string(kSpread), 20);
  add("boost-spsc", "", 10);
  add("boost-spsc", std::string(kSpread), 15);
  for (const BarPart& part : all_bars()) {
    if (part.name != "gated 56 B x32, 2 consumers / best fan-out") continue;
    const BarResult result = hold(part, {round});
    EXPECT_EQ(result.ours, "evring-gated");
    EXPECT_EQ(result.peer, "boost-spsc, spread");
    EXPECT_DOUBLE_EQ(result.value.value_or(0), 2);
    return;
  }
  FAIL() << "bar 6 has no such part";
}

TEST(PlanTest, NamesNoCaseTwice) {
  for (const bool quick : {true, false}) {
    std::set<std::string> ids;
    for (const CaseGroup& group : make_plan(quick)) {
      for (const Case& each : group.cases) EXPECT_TRUE(ids.insert(each.id()).second) << each.id();
    }
  }
}

TEST(PlanTest, NamesLoopsThatExist) {
  std::set<std::string> loops;
  for (const Loop& each : all_loops()) EXPECT_TRUE(loops.insert(each.name).second) << each.name;
  for (const CaseGroup& group : make_plan(false)) {
    for (const Case& each : group.cases) EXPECT_TRUE(loops.contains(each.loop)) << each.loop;
  }
  EXPECT_THROW(run_case({.loop = "no such loop"}), std::invalid_argument);
  EXPECT_THROW(run_case({.contender = "evring-gated", .variant = "nowhere"}),
               std::invalid_argument);
}

TEST(PlanTest, RunsWideGroupsInAThirdOfTheRounds) {
  const CaseGroup wide{.name = "wide", .share = Share::kThird, .cases = {}};
  for (const std::size_t index : {0, 1, 2}) {
    unsigned ran = 0;
    for (unsigned number = 0; number < 9; ++number) ran += runs_in(wide, index, number) ? 1 : 0;
    EXPECT_EQ(ran, 3u);
  }
  const CaseGroup once{.name = "once", .share = Share::kOnce, .cases = {}};
  EXPECT_TRUE(runs_in(once, 5, 0));
  EXPECT_FALSE(runs_in(once, 5, 1));
}

TEST(PlanTest, KeepsOnlyWhatIsAskedFor) {
  Plan plan = make_plan(false);
  keep_only(plan, "evring-group/16B");
  ASSERT_FALSE(plan.empty());
  for (const CaseGroup& group : plan) {
    EXPECT_EQ(group.share, Share::kEvery);
    for (const Case& each : group.cases) EXPECT_EQ(each.contender, "evring-group");
  }
  Plan named = make_plan(true);
  keep_only(named, "one thread");
  ASSERT_EQ(named.size(), 1u);
  EXPECT_EQ(named[0].name, "one thread") << "no id has that in it";
}

/// A program for a case, as a shell script.
std::string script(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
  chmod(path.c_str(), 0700);
  return path;
}

TEST(RoundTest, KeepsWhatACaseSays) {
  const std::string path = script("says", "echo '{\"value\": 3, \"exact\": true}'");
  const Plan plan = {{.name = "one", .cases = {{.loop = "syscall"}}}};
  const Rounds rounds = run_rounds(plan, {.round_count = 2, .program = path, .silent = true});
  ASSERT_EQ(rounds.size(), 2u);
  EXPECT_EQ(value_of(rounds[1], "syscall"), 3.0);
  EXPECT_EQ(rounds[1].at("syscall")["case"]["loop"], "syscall");
}

TEST(RoundTest, HasNoFigureOfACaseThatFailsOrHangs) {
  const Case one{.loop = "syscall"};
  const json failed = run_case_apart(script("fails", "exit 3"), one, 10);
  EXPECT_FALSE(failed["exact"].get<bool>());
  EXPECT_TRUE(failed.contains("failed"));
  const json hung = run_case_apart(script("hangs", "exec sleep 60"), one, 1);
  EXPECT_EQ(hung["failed"], "no end within 1 s");
}

TEST(RoundTest, TakesRecordsFromElsewhere) {
  const std::string path = testing::TempDir() + "rounds.json";
  std::ofstream(path)
      << R"([{"x": {"value": 1, "exact": true}}, {"x": {"value": 2, "exact": true}}])";
  Rounds rounds = {{{"a", record(5)}}};
  merge_rounds(rounds, path);
  ASSERT_EQ(rounds.size(), 2u);
  EXPECT_EQ(value_of(rounds[0], "a"), 5.0);
  EXPECT_EQ(value_of(rounds[1], "x"), 2.0);
  EXPECT_THROW(merge_rounds(rounds, path + ".absent"), std::runtime_error);
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
