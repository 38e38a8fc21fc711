// SPDX-License-Identifier: MIT
// Which tables there are, and which case goes into which.
#include "report_tables.hpp"

#include "cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace evring::bench {
namespace {

using nlohmann::json;

enum class Kind { kAny, kBroadcast, kShared };

/// A case belongs here when it runs this loop and agrees with all of `fixed`.
struct Spec {
  std::string title;
  std::string loop;
  Kind kind = Kind::kAny;
  std::map<std::string, double> fixed{};
  std::string axis;           ///< the column
  std::string column = "{}";  ///< how a step of the axis is written
  std::string variant{};      ///< of the case
};

const std::vector<Spec>& all_specs() {
  using Fixed = std::map<std::string, double>;
  const auto fixed = [](double payload, const char* axis, double value, Fixed more = {}) {
    more.insert({{"payload_bytes", payload}, {axis, value}, {"slot_count", 4096}});
    return more;
  };
  constexpr auto kEach = Kind::kBroadcast;
  constexpr auto kShared = Kind::kShared;
  static const std::vector<Spec> specs = {
      {"Broadcast to one consumer, 56 B, by burst", "throughput", kEach,
       fixed(56, "consumer_count", 1), "burst_count", "x{}"},
      {"Broadcast in bursts of 32, 56 B, by consumers", "throughput", kEach,
       fixed(56, "burst_count", 32), "consumer_count"},
      {"The same, consumers taking turns on the producer's CPU as well", "throughput", kEach,
       fixed(56, "burst_count", 32), "consumer_count", "{}", std::string(kSpread)},
      {"Broadcast one at a time, 56 B, by consumers", "throughput", kEach,
       fixed(56, "burst_count", 1), "consumer_count"},
      {"Broadcast to one consumer, 16 B, by burst", "throughput", kEach,
       fixed(16, "consumer_count", 1), "burst_count", "x{}"},
      {"The default slot (40 B beside timestamp, type, length), one consumer, by burst",
       "throughput", kEach, fixed(40, "consumer_count", 1), "burst_count", "x{}"},
      {"The default slot, bursts of 32, by consumers", "throughput", kEach,
       fixed(40, "burst_count", 32), "consumer_count"},
      {"Work sharing in bursts of 32, 56 B, by consumers", "throughput", kShared,
       fixed(56, "burst_count", 32), "consumer_count"},
      {"Work sharing one at a time, 56 B, by consumers", "throughput", kShared,
       fixed(56, "burst_count", 1), "consumer_count"},
      {"Work sharing, one consumer, 56 B, by burst", "throughput", kShared,
       fixed(56, "consumer_count", 1), "burst_count", "x{}"},
      {"Work sharing, one consumer, 16 B, by burst", "throughput", kShared,
       fixed(16, "consumer_count", 1), "burst_count", "x{}"},
      {"Ring of 4,096 or 65,536 events, 56 B, bursts of 32, one consumer",
       "throughput",
       Kind::kAny,
       {{"payload_bytes", 56}, {"burst_count", 32}, {"consumer_count", 1}},
       "slot_count"},
      {"Ring of 4,096 or 65,536 events, 16 B, bursts of 32, one consumer",
       "throughput",
       Kind::kAny,
       {{"payload_bytes", 16}, {"burst_count", 32}, {"consumer_count", 1}},
       "slot_count"},
      {"One-way latency, 56 B, p50 by events a second",
       "latency",
       Kind::kAny,
       {{"payload_bytes", 56}},
       "rate_hz"},
      {"Round trip, 56 B",
       "ping-pong",
       Kind::kAny,
       {{"payload_bytes", 56}},
       "burst_count",
       "there and back"},
      {"Produce and consume on one thread, 56 B, by burst",
       "same-thread",
       Kind::kAny,
       {{"payload_bytes", 56}},
       "burst_count",
       "x{}"},
      {"Produce and consume on one thread, 16 B, by burst",
       "same-thread",
       Kind::kAny,
       {{"payload_bytes", 16}},
       "burst_count",
       "x{}"},
      {"Instructions an event, produce and consume, 56 B, by burst",
       "instructions",
       Kind::kAny,
       {{"payload_bytes", 56}},
       "burst_count",
       "x{}"},
  };
  return specs;
}

bool belongs(const Spec& spec, const json& each) {
  if (!each.contains("case") || !each["case"].is_object()) return false;
  const json& axes = each["case"];
  if (axes.value("loop", "") != spec.loop || axes.value("contender", "").empty()) return false;
  if (axes.value("variant", "") != spec.variant) return false;
  if (spec.kind != Kind::kAny) {
    const bool shared = axes.value("delivery", "") == "shared";
    if (shared != (spec.kind == Kind::kShared)) return false;
  }
  return std::all_of(spec.fixed.begin(), spec.fixed.end(), [&axes](const auto& pair) {
    return axes.value(pair.first, -1.0) == pair.second;
  });
}

bool is_rate(const std::string& unit) { return unit == "events/s"; }

std::string column_name(const Spec& spec, double step, unsigned cpu_count) {
  if (spec.axis == "rate_hz" && step >= 1e6) return fmt::format("{:.0f} M/s", step / 1e6);
  if (spec.axis == "rate_hz") return fmt::format("{:.0f} k/s", step / 1e3);
  std::string name = fmt::format(fmt::runtime(spec.column), static_cast<unsigned>(step));
  if (spec.axis == "consumer_count" && step + 1 > cpu_count) name += " over";
  return name;
}

std::optional<Cell> cell_of(const json& each) {
  if (each["rounds"].get<unsigned>() == 0) return std::nullopt;
  const double scale = is_rate(each["unit"].get<std::string>()) ? 1e-6 : 1;
  return Cell{.median = each["median"].get<double>() * scale,
              .p10 = each["p10"].get<double>() * scale,
              .p90 = each["p90"].get<double>() * scale,
              .round_count = each["rounds"].get<unsigned>()};
}

/// By the best cell of a row.
void sort_rows(Table& table) {
  const auto best = [&table](const TableRow& row) {
    double found = table.larger_is_better ? 0 : 1e300;
    for (const std::optional<Cell>& cell : row.cells) {
      if (!cell) continue;
      found =
          table.larger_is_better ? std::max(found, cell->median) : std::min(found, cell->median);
    }
    return found;
  };
  std::stable_sort(table.rows.begin(), table.rows.end(), [&](const TableRow& a, const TableRow& b) {
    return table.larger_is_better ? best(a) > best(b) : best(a) < best(b);
  });
}

Table table_of(const Spec& spec, const json& report) {
  Table table{.title = spec.title, .unit = {}, .columns = {}, .rows = {}};
  std::map<double, std::map<std::string, json>> by_step;
  std::set<std::string> names;
  for (const json& each : report["cases"]) {
    if (!belongs(spec, each)) continue;
    const std::string name = each["case"]["contender"].get<std::string>();
    names.insert(name);
    by_step[each["case"].value(spec.axis, 0.0)][name] = each;
    const std::string unit = each["unit"].get<std::string>();
    if (unit.empty()) continue;
    table.unit = is_rate(unit) ? "M/s" : unit;
    table.larger_is_better = is_rate(unit);
  }
  for (const std::string& name : names) {
    table.rows.push_back({.name = name, .ours = name.rfind("evring", 0) == 0, .cells = {}});
  }
  for (const auto& [step, cases] : by_step) {
    table.columns.push_back(column_name(spec, step, report.value("cpu_count", 1u)));
    for (TableRow& row : table.rows) {
      const auto found = cases.find(row.name);
      row.cells.push_back(found == cases.end() ? std::nullopt : cell_of(found->second));
    }
  }
  sort_rows(table);
  return table;
}

}  // namespace

std::vector<Table> tables_of(const json& report) {
  std::vector<Table> tables;
  for (const Spec& spec : all_specs()) {
    Table table = table_of(spec, report);
    const bool compares = spec.axis != "slot_count" || table.columns.size() > 1;
    if (!table.rows.empty() && compares) tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<json> other_cases_of(const json& report) {
  std::vector<json> others;
  for (const json& each : report["cases"]) {
    const bool shown = std::any_of(all_specs().begin(), all_specs().end(),
                                   [&each](const Spec& spec) { return belongs(spec, each); });
    if (!shown) others.push_back(each);
  }
  return others;
}

std::string human(double value, const std::string& unit) {
  if (is_rate(unit)) return human(value * 1e-6, "M/s");
  const double size = value < 0 ? -value : value;
  const int digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, digits, unit);
}

std::string rounds_of(const Table& table) {
  unsigned fewest = ~0u;
  unsigned most = 0;
  for (const TableRow& row : table.rows) {
    for (const std::optional<Cell>& cell : row.cells) {
      if (!cell) continue;
      fewest = std::min(fewest, cell->round_count);
      most = std::max(most, cell->round_count);
    }
  }
  if (most == 0) return "no rounds";
  if (fewest != most) return fmt::format("{} to {} rounds", fewest, most);
  return fmt::format("{} round{}", most, most == 1 ? "" : "s");
}

}  // namespace evring::bench
