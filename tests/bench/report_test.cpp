// SPDX-License-Identifier: MIT
// The report of rounds that we make up: tables, the page, and what they must not hide.
#include <gtest/gtest.h>

#include <bench/comparison/report.hpp>
#include <bench/comparison/report_plots.hpp>
#include <bench/comparison/report_tables.hpp>

#include <string>

namespace evring::bench {
namespace {

using nlohmann::json;

json record_of(const Case& one, double value, const char* unit, bool exact = true) {
  return {
      {"id", one.id()}, {"value", value}, {"unit", unit}, {"exact", exact}, {"case", one.axes()}};
}

void add(Round& round, const Case& one, double value, const char* unit = "events/s",
         bool exact = true) {
  round[one.id()] = record_of(one, value, unit, exact);
}

Case throughput(const std::string& contender, std::size_t burst) {
  Case one;
  one.contender = contender;
  one.burst_count = burst;
  return one;
}

/// evring at 100 and 50 M/s, boost at 80; boost's other case never adds up.
json made_up_report() {
  Rounds rounds(3);
  for (Round& round : rounds) {
    add(round, throughput("evring-gated", 32), 100e6);
    add(round, throughput("evring-gated", 1), 50e6);
    add(round, throughput("boost-spsc", 32), 80e6);
    add(round, throughput("boost-spsc", 1), 70e6, "events/s", false);
    add(round, {.loop = "syscall"}, 150, "ns");
  }
  std::vector<BarResult> bars = {
      {.bar = 1, .name = "kept <&>", .limit = 1, .value = 1.25, .round_count = 3, .pass = true},
      {.bar = 2, .name = "not kept", .limit = 1, .value = 0.5, .round_count = 3, .pass = false},
      {.bar = 3, .name = "unknown", .limit = 1}};
  bars[1].peer = "boost-spsc";
  bars[1].why_not = "the machine's limit";
  return report_json(rounds, bars, {.seed = 7, .elapsed_s = 12});
}

const Table* table_named(const std::vector<Table>& tables, const std::string& title) {
  for (const Table& each : tables) {
    if (each.title.find(title) != std::string::npos) return &each;
  }
  return nullptr;
}

TEST(ReportTest, SortsCasesIntoTablesBestFirst) {
  const std::vector<Table> tables = tables_of(made_up_report());
  const Table* by_burst = table_named(tables, "Broadcast to one consumer, 56 B");
  ASSERT_NE(by_burst, nullptr);
  ASSERT_EQ(by_burst->rows.size(), 2u);
  EXPECT_EQ(by_burst->columns, (std::vector<std::string>{"x1", "x32"}));
  EXPECT_EQ(by_burst->rows[0].name, "evring-gated");
  EXPECT_TRUE(by_burst->rows[0].ours);
  EXPECT_DOUBLE_EQ(by_burst->rows[0].cells[1]->median, 100);
  EXPECT_EQ(rounds_of(*by_burst), "3 rounds");
}

TEST(ReportTest, KeepsPlacementsInTablesOfTheirOwn) {
  Round round;
  for (const bool spread : {false, true}) {
    Case one = throughput("boost-spsc", 32);
    one.consumer_count = 2;
    if (spread) one.variant = kSpread;
    add(round, one, spread ? 20e6 : 10e6);
  }
  const std::vector<Table> tables = tables_of(report_json({round}, {}, {}));
  const Table* alone = table_named(tables, "Broadcast in bursts of 32, 56 B, by consumers");
  const Table* spread = table_named(tables, "taking turns on the producer's CPU");
  ASSERT_NE(alone, nullptr);
  ASSERT_NE(spread, nullptr);
  EXPECT_DOUBLE_EQ(alone->rows.at(0).cells.at(0)->median, 10);
  EXPECT_DOUBLE_EQ(spread->rows.at(0).cells.at(0)->median, 20);
}

TEST(ReportTest, LeavesACellEmptyWhoseRunsDidNotAddUp) {
  const json report = made_up_report();
  const std::vector<Table> tables = tables_of(report);
  const Table* by_burst = table_named(tables, "Broadcast to one consumer, 56 B");
  ASSERT_NE(by_burst, nullptr);
  EXPECT_FALSE(by_burst->rows[1].cells[0].has_value());
  EXPECT_TRUE(by_burst->rows[1].cells[1].has_value());
  for (const json& each : report["cases"]) {
    if (each["id"] != throughput("boost-spsc", 1).id()) continue;
    EXPECT_EQ(each["failed"], 3);
    EXPECT_EQ(each["rounds"], 0);
  }
}

TEST(ReportTest, ListsTheCasesThatNoTableShows) {
  const std::vector<json> others = other_cases_of(made_up_report());
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others[0]["id"], "syscall");
}

TEST(ReportTest, SaysPassMissedAndNotMeasured) {
  const json report = made_up_report();
  EXPECT_EQ(summary_of_bars(report["bars"]),
            "1 of 3 parts of bars reached, 1 missed, 1 not measured");
  const std::string text = report_text(report);
  EXPECT_NE(text.find("1.250      >= 1"), std::string::npos) << text;
  EXPECT_NE(text.find("MISSED"), std::string::npos);
  EXPECT_NE(text.find("NOT MEASURED"), std::string::npos);
  EXPECT_NE(text.find("limit: the machine's limit"), std::string::npos);
}

TEST(ReportTest, HasOneRecordForEachBar) {
  const json bars = made_up_report()["bars"];
  ASSERT_EQ(bars.size(), 3u);
  for (const char* key : {"number", "name", "value", "bar", "spread", "pass"}) {
    EXPECT_TRUE(bars[0].contains(key)) << key;
  }
  EXPECT_EQ(bars[0]["bar"], ">= 1");
  EXPECT_EQ(bars[1]["peer"], "boost-spsc");
  EXPECT_TRUE(bars[2]["value"].is_null());
}

TEST(PageTest, NeedsNothingBesideItself) {
  const std::string html = report_html(made_up_report());
  for (const char* outside : {"http:", "https:", "src=", "<link", "<script", "url("}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
  EXPECT_NE(html.find("<svg"), std::string::npos);
  EXPECT_NE(html.find("kept &lt;&amp;&gt;"), std::string::npos) << "markup in a name";
  EXPECT_NE(html.find("not measured"), std::string::npos);
}

TEST(PageTest, DrawsADotForEachFigure) {
  const std::vector<Table> tables = tables_of(made_up_report());
  const Table* by_burst = table_named(tables, "Broadcast to one consumer, 56 B");
  ASSERT_NE(by_burst, nullptr);
  const std::string svg = dot_plot(*by_burst, PlotLimit{"the limit", 120});
  std::size_t dots = 0;
  for (std::size_t at = svg.find("<title>"); at != std::string::npos;
       at = svg.find("<title>", at + 1)) {
    ++dots;
  }
  EXPECT_EQ(dots, 3u) << "three figures, and a case without";
  EXPECT_NE(svg.find("the limit: 120 M/s"), std::string::npos);
}

}  // namespace
}  // namespace evring::bench
