// SPDX-License-Identifier: MIT
// Medians, spreads and ratios, printed.
#include "report.hpp"

#include <fmt/core.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

namespace evring::compare {
namespace {

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

using Figure = std::function<double(const RaceResult&)>;

double injected_per_s(const RaceResult& result) {
  return static_cast<double>(result.injected) / result.seconds;
}
double delivered_per_s(const RaceResult& result) {
  return static_cast<double>(result.delivered_in_time) / result.seconds;
}

Spread spread_of(const Series& series, const Figure& figure) {
  std::vector<double> values;
  for (const RaceResult& round : series.rounds) values.push_back(figure(round));
  return spread_of(std::move(values));
}

/// Paired by round: what slows the machine down slows both down.
Spread ratio_of(const Series& one, const Series& other, const Figure& figure) {
  std::vector<double> values;
  for (std::size_t i = 0; i < std::min(one.rounds.size(), other.rounds.size()); ++i) {
    const double below = figure(other.rounds[i]);
    if (below > 0) values.push_back(figure(one.rounds[i]) / below);
  }
  return spread_of(std::move(values));
}

std::uint64_t total(const Series& series, std::uint64_t RaceResult::*member) {
  std::uint64_t sum = 0;
  for (const RaceResult& round : series.rounds) sum += round.*member;
  return sum;
}

/// Of the time that all producers had, the share spent waiting for a lock.
double lock_wait_percent(const RaceResult& result, int processes) {
  return 100.0 * static_cast<double>(result.lock_wait_ns) / (result.seconds * 1e9 * processes);
}

const Series* find_ring(const std::vector<Series>& all, const Series& like) {
  for (const Series& series : all) {
    if (series.contender == "ring" && series.producers == like.producers &&
        series.consumers == like.consumers) {
      return &series;
    }
  }
  return nullptr;
}

std::string thousands(const Spread& spread) {
  return fmt::format("{:8.0f} ({:.0f}-{:.0f})", spread.median / 1e3, spread.min / 1e3,
                     spread.max / 1e3);
}

void print_row(const Series& series, const std::vector<Series>& all) {
  const Series* ring = find_ring(all, series);
  std::string ratios = "";
  if (ring != nullptr && ring != &series) {
    ratios = fmt::format("{:.1f} x / {:.1f} x", ratio_of(*ring, series, injected_per_s).median,
                         ratio_of(*ring, series, delivered_per_s).median);
  }
  const Spread wait = spread_of(series, [&](const RaceResult& result) {
    return lock_wait_percent(result, series.producers + series.consumers);
  });
  fmt::print("{:>3} {:>3}  {:<6} {:<22} {:<22} {:>10} {:>10} {:>7} {:>6.1f} %  {:<16} {}\n",
             series.producers, series.consumers, series.contender,
             thousands(spread_of(series, injected_per_s)),
             thousands(spread_of(series, delivered_per_s)), total(series, &RaceResult::dropped),
             total(series, &RaceResult::lost), total(series, &RaceResult::corrupt), wait.median,
             ratios, series.balanced() ? "holds" : "DOES NOT HOLD");
  for (const RaceResult& round : series.rounds) {
    for (const std::string& fault : round.faults) fmt::print("         {}\n", fault);
  }
}

nlohmann::json to_json(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
}

nlohmann::json to_json(const Series& series, const Series* ring) {
  nlohmann::json faults = nlohmann::json::array();
  for (const RaceResult& round : series.rounds) {
    for (const std::string& fault : round.faults) faults.push_back(fault);
  }
  const Spread wait = spread_of(series, [&](const RaceResult& result) {
    return lock_wait_percent(result, series.producers + series.consumers);
  });
  nlohmann::json json = {
      {"contender", series.contender},
      {"producers", series.producers},
      {"consumers", series.consumers},
      {"loss_policy", loss_policy(series.contender)},
      {"injected_per_s", to_json(spread_of(series, injected_per_s))},
      {"delivered_per_s", to_json(spread_of(series, delivered_per_s))},
      {"lock_wait_percent", to_json(wait)},
      {"injected", total(series, &RaceResult::injected)},
      {"dropped", total(series, &RaceResult::dropped)},
      {"delivered", total(series, &RaceResult::delivered)},
      {"lost", total(series, &RaceResult::lost)},
      {"corrupt", total(series, &RaceResult::corrupt)},
      {"out_of_order", total(series, &RaceResult::out_of_order)},
      {"balanced", series.balanced()},
      {"faults", faults},
  };
  if (ring != nullptr && ring != &series) {
    json["ring_over_this"] = {{"injected", to_json(ratio_of(*ring, series, injected_per_s))},
                              {"delivered", to_json(ratio_of(*ring, series, delivered_per_s))}};
  }
  return json;
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

}  // namespace

bool Series::balanced() const {
  return !rounds.empty() && std::all_of(rounds.begin(), rounds.end(),
                                        [](const RaceResult& round) { return round.balanced(); });
}

Setting describe_machine() {
  Setting setting;
  utsname name{};
  ::uname(&name);
  setting.kernel = std::string(name.sysname) + " " + name.release;
  setting.cpu = fmt::format("{} x {}", allowed_cpus().size(), cpu_model());
  return setting;
}

void print_table(const Setting& setting, const std::vector<Series>& all) {
  fmt::print("CPU      {}\nkernel   {}\npinning  {}\ncommand  {}\n", setting.cpu, setting.kernel,
             setting.pinning, setting.command);
  fmt::print(
      "events   40 bytes, checked; {} in an inject; {} rounds of {} s in turn; room for {}\n",
      setting.batch_count, setting.rounds, setting.seconds, setting.capacity);
  std::set<std::string> names;
  for (const Series& series : all) names.insert(series.contender);
  for (const std::string& name : names) fmt::print("{:<8} {}\n", name, loss_policy(name));
  fmt::print("\nP = producers, C = consumers; thousands a second, median (min-max)\n");
  fmt::print("{:>3} {:>3}  {:<6} {:<22} {:<22} {:>10} {:>10} {:>7} {:>8}  {:<16} {}\n", "P", "C",
             "", "    injected", "   delivered", "dropped", "lost", "corrupt", "lock", "ring is",
             "balance");
  for (const Series& series : all) print_row(series, all);
  fmt::print(
      "lock = share of the processes' time spent waiting for it; "
      "ring is = ring's injected / delivered over this one's\n");
}

nlohmann::json to_json(const Setting& setting, const std::vector<Series>& all) {
  nlohmann::json results = nlohmann::json::array();
  bool balanced = true;
  for (const Series& series : all) {
    results.push_back(to_json(series, find_ring(all, series)));
    balanced = balanced && series.balanced();
  }
  return {{"command", setting.command},   {"cpu", setting.cpu},
          {"kernel", setting.kernel},     {"pinning", setting.pinning},
          {"capacity", setting.capacity}, {"seconds", setting.seconds},
          {"rounds", setting.rounds},     {"batch_count", setting.batch_count},
          {"results", results},           {"balanced", balanced}};
}

nlohmann::json to_records(const std::string& prefix, std::uint32_t batch_count,
                          const std::vector<Series>& all) {
  nlohmann::json rounds = nlohmann::json::array();
  for (const Series& series : all) {
    const std::string id = fmt::format("{}/{}/burst{}/{}p{}c", prefix, series.contender,
                                       batch_count, series.producers, series.consumers);
    for (std::size_t i = 0; i < series.rounds.size(); ++i) {
      const RaceResult& round = series.rounds[i];
      rounds[i][id] = {{"id", id},
                       {"value", delivered_per_s(round)},
                       {"unit", "events/s"},
                       {"injected", injected_per_s(round)},
                       {"lost", round.lost},
                       {"dropped", round.dropped},
                       {"exact", round.balanced()}};
    }
  }
  return rounds;
}

}  // namespace evring::compare
