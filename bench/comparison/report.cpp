// SPDX-License-Identifier: MIT
// The JSON and the tables of a comparison.
#include "report.hpp"

#include "report_tables.hpp"

#include <bench/measure/bare_lines.hpp>
#include <bench/measure/machine.hpp>
#include <bench/measure/registry.hpp>
#include <bench/measure/statistics.hpp>

#include <fmt/format.h>

#include <map>

namespace evring::bench {
namespace {

using nlohmann::json;

std::string table_text(const Table& table) {
  std::string text = fmt::format("\n{} ({}, medians of {})\n{:<26}", table.title, table.unit,
                                 rounds_of(table), "");
  for (const std::string& column : table.columns) text += fmt::format(" {:>14}", column);
  text += "\n";
  for (const TableRow& row : table.rows) {
    text += fmt::format("{:<26}", row.name);
    for (const std::optional<Cell>& cell : row.cells) {
      text += cell ? fmt::format(" {:>14.{}f}", cell->median, cell->median < 100 ? 2 : 1)
                   : fmt::format(" {:>14}", "-");
    }
    text += "\n";
  }
  return text;
}

std::string other_line(const json& each) {
  const std::string id = each["id"].get<std::string>();
  const unsigned rounds = each["rounds"].get<unsigned>();
  const unsigned failed = each["failed"].get<unsigned>();
  if (rounds == 0) return fmt::format("{:<58} no figure in {} rounds\n", id, failed);
  const std::string unit = each["unit"].get<std::string>();
  return fmt::format("{:<58} {:>14} {:>14} {:>14} {:>3}{}\n", id, human(each["median"], unit),
                     human(each["p10"], unit), human(each["p90"], unit), rounds,
                     failed == 0 ? "" : fmt::format("  (none in {})", failed));
}

std::string bar_lines(const json& bar) {
  const bool measured = !bar["value"].is_null();
  const json& spread = bar["spread"];
  std::string text =
      fmt::format("{:>3}  {:<74} ", bar["number"].get<unsigned>(), bar["name"].get<std::string>());
  if (measured) {
    text += fmt::format("{:>9.3f} {:>9}  {:>9.3f} .. {:<9.3f} {:>2}", bar["value"].get<double>(),
                        bar["bar"].get<std::string>(), spread["p10"].get<double>(),
                        spread["p90"].get<double>(), spread["rounds"].get<unsigned>());
  } else {
    text += fmt::format("{:>9} {:>9}  {:>9}    {:<9} {:>2}", "-", bar["bar"].get<std::string>(), "",
                        "", 0);
  }
  text += bar["pass"].get<bool>() ? "  pass\n" : measured ? "  MISSED\n" : "  NOT MEASURED\n";
  if (measured && bar.contains("peer")) {
    text += fmt::format("{:>5}{} against {}\n", "", bar.value("ours", ""), bar.value("peer", ""));
  }
  if (bar.contains("limit")) {
    text += fmt::format("{:>5}limit: {}\n", "", bar["limit"].get<std::string>());
  }
  return text;
}

}  // namespace

std::vector<Summary> summarise(const Rounds& rounds) {
  std::map<std::string, Summary> by_id;
  std::map<std::string, std::vector<double>> figures;
  for (const Round& round : rounds) {
    for (const auto& [id, record] : round) {
      Summary& summary = by_id[id];
      summary.id = id;
      if (record.contains("case")) summary.axes = record["case"];
      const std::optional<double> value = value_of(round, id);
      if (!value) {
        ++summary.failed_count;
        continue;
      }
      summary.unit = record.value("unit", "");
      figures[id].push_back(*value);
    }
  }
  std::vector<Summary> all;
  for (auto& [id, summary] : by_id) {
    summary.median = median(figures[id]);
    summary.p10 = percentile(figures[id], 0.1);
    summary.p90 = percentile(figures[id], 0.9);
    summary.round_count = static_cast<unsigned>(figures[id].size());
    all.push_back(std::move(summary));
  }
  return all;
}

json report_json(const Rounds& rounds, const std::vector<BarResult>& bars,
                 const ReportOptions& options) {
  const Machine machine = describe_machine();
  json report = {{"machine",
                  {{"cpu", machine.cpu},
                   {"caches", machine.caches},
                   {"kernel", machine.kernel},
                   {"governor", machine.governor},
                   {"compiler", machine.compiler},
                   {"pinning", describe_placement(options.placement)},
                   {"vector stores", vector_store_name()},
                   {"command", describe_command()}}},
                 {"cpu_count", options.placement.cpus.size()},
                 {"seed", options.seed},
                 {"only", options.only},
                 {"elapsed_s", options.elapsed_s},
                 {"bars", json::array()},
                 {"cases", json::array()},
                 {"missing", json::array()},
                 {"rounds", rounds}};
  for (const BarResult& bar : bars) report["bars"].push_back(to_json(bar));
  for (const Summary& each : summarise(rounds)) {
    report["cases"].push_back({{"id", each.id},
                               {"unit", each.unit},
                               {"median", each.median},
                               {"p10", each.p10},
                               {"p90", each.p90},
                               {"rounds", each.round_count},
                               {"failed", each.failed_count},
                               {"case", each.axes}});
  }
  for (const MissingPeer& peer : missing_peers()) {
    report["missing"].push_back({{"name", peer.name}, {"package", peer.package}});
  }
  return report;
}

std::string summary_of_bars(const json& bars) {
  unsigned passed = 0;
  unsigned unmeasured = 0;
  for (const json& bar : bars) {
    passed += bar["pass"].get<bool>() ? 1 : 0;
    unmeasured += bar["value"].is_null() ? 1 : 0;
  }
  return fmt::format("{} of {} parts of bars reached, {} missed, {} not measured", passed,
                     bars.size(), bars.size() - passed - unmeasured, unmeasured);
}

std::string report_text(const json& report) {
  std::string text;
  for (const auto& [key, value] : report["machine"].items()) {
    text += fmt::format("{:<13} {}\n", key, value.get<std::string>());
  }
  text += fmt::format("{:<13} {} rounds in {:.0f} s, seed {}\n", "rounds", report["rounds"].size(),
                      report["elapsed_s"].get<double>(), report["seed"].get<std::uint64_t>());
  for (const Table& table : tables_of(report)) text += table_text(table);
  const std::vector<json> others = other_cases_of(report);
  if (!others.empty()) {
    text += fmt::format("\n{:<58} {:>14} {:>14} {:>14} {:>3}\n", "limits and the rest", "median",
                        "p10", "p90", "n");
  }
  for (const json& each : others) text += other_line(each);
  for (const json& peer : report["missing"]) {
    text += fmt::format("{:<58} not available: install {}\n", peer["name"].get<std::string>(),
                        peer["package"].get<std::string>());
  }
  text += fmt::format("\n{:>3}  {:<74} {:>9} {:>9}  {:>9} .. {:<9} {:>2}\n", "bar", "what", "value",
                      "bar", "p10", "p90", "n");
  const bool all = report.value("only", "").empty();
  for (const json& bar : report["bars"]) {
    if (all || !bar["value"].is_null()) text += bar_lines(bar);
  }
  return text + "\n" + summary_of_bars(report["bars"]) + "\n";
}

}  // namespace evring::bench
