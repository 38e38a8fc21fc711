// SPDX-License-Identifier: MIT
// The JSON and the tables of a comparison.
#include "report.hpp"

#include <bench/measure/machine.hpp>
#include <bench/measure/registry.hpp>
#include <bench/measure/statistics.hpp>

#include <fmt/format.h>

#include <map>

namespace evring::bench {
namespace {

using nlohmann::json;

std::string human(double value, const std::string& unit) {
  if (unit == "events/s") return fmt::format("{:.2f} M/s", value / 1e6);
  return fmt::format("{:.1f} {}", value, unit);
}

std::string bar_line(const json& bar) {
  const std::string value =
      bar["value"].is_null() ? "-" : fmt::format("{:.3f}", bar["value"].get<double>());
  const json& spread = bar["spread"];
  return fmt::format("{:>3}  {:<62} {:>9} {:>8}  {:>7.3f} .. {:<7.3f} {:>2}  {}\n",
                     bar["number"].get<unsigned>(), bar["name"].get<std::string>(), value,
                     bar["bar"].get<std::string>(), spread["p10"].get<double>(),
                     spread["p90"].get<double>(), spread["rounds"].get<unsigned>(),
                     bar["pass"].get<bool>() ? "pass" : "MISSED");
}

}  // namespace

std::vector<Summary> summarise(const Rounds& rounds) {
  std::map<std::string, Summary> by_id;
  std::map<std::string, std::vector<double>> figures;
  for (const Round& round : rounds) {
    for (const auto& [id, record] : round) {
      Summary& summary = by_id[id];
      summary.id = id;
      const std::optional<double> value = value_of(round, id);
      if (!value) {
        ++summary.failed_count;
        continue;
      }
      summary.unit = record.at("unit").get<std::string>();
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
                 const Placement& placement) {
  const Machine machine = describe_machine();
  json report = {{"machine",
                  {{"cpu", machine.cpu},
                   {"caches", machine.caches},
                   {"kernel", machine.kernel},
                   {"governor", machine.governor},
                   {"compiler", machine.compiler},
                   {"pinning", describe_placement(placement)},
                   {"vector_store", vector_store_name()},
                   {"command", describe_command()}}},
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
                               {"failed", each.failed_count}});
  }
  for (const MissingPeer& peer : missing_peers()) {
    report["missing"].push_back({{"name", peer.name}, {"package", peer.package}});
  }
  return report;
}

std::string report_text(const json& report) {
  std::string text;
  for (const auto& [key, value] : report["machine"].items()) {
    text += fmt::format("{:<13} {}\n", key, value.get<std::string>());
  }
  text += fmt::format("\n{:<58} {:>14} {:>14} {:>14}\n", "case (median of rounds)", "median", "p10",
                      "p90");
  for (const json& each : report["cases"]) {
    const std::string id = each["id"].get<std::string>();
    const std::string unit = each["unit"].get<std::string>();
    if (each["rounds"].get<unsigned>() == 0) {
      text += fmt::format("{:<58} no figure in {} rounds\n", id, each["failed"].get<unsigned>());
      continue;
    }
    text += fmt::format("{:<58} {:>14} {:>14} {:>14}{}\n", id, human(each["median"], unit),
                        human(each["p10"], unit), human(each["p90"], unit),
                        each["failed"].get<unsigned>() == 0 ? "" : "  (failed in some rounds)");
  }
  for (const json& peer : report["missing"]) {
    text += fmt::format("{:<58} not available: install {}\n", peer["name"].get<std::string>(),
                        peer["package"].get<std::string>());
  }
  text += fmt::format("\n{:>3}  {:<62} {:>9} {:>8}  {:<18} {:>2}\n", "bar", "what", "value", "bar",
                      "p10 .. p90", "n");
  for (const json& bar : report["bars"]) text += bar_line(bar);
  return text;
}

}  // namespace evring::bench
