// SPDX-License-Identifier: MIT
// Bars 9 to 12: doorbells, parking, many rings, and the rates between idle and full.
#include "bars.hpp"
#include "loops.hpp"

#include <bench/measure/statistics.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

namespace evring::bench {
namespace {

/// A part whose ratio was taken within one case.
BarPart within(unsigned bar, std::string name, Better better, double limit, const std::string& id,
               const std::string& key = "value") {
  return {.bar = bar,
          .name = std::move(name),
          .better = better,
          .limit = limit,
          .ours = {{"evring", figure_of(id, key)}}};
}

std::string at(double rate_hz) {
  return rate_hz == 0 ? "flat out" : fmt::format("{:.0f}/s", rate_hz);
}

std::string id_at(const std::string& loop, double rate_hz) {
  return rate_hz == 0 ? loop : fmt::format("{}/{:.0f}Hz", loop, rate_hz);
}

void add_parked_bars(Bars& bars) {
  bars.push_back(
      within(10, "wake-up p50 / bare eventfd, in turns", Better::kSmaller, 1.15, "parked-wake"));
  bars.push_back(within(10, "doorbells an idle period", Better::kSmaller, 1, "parked-wake",
                        "doorbells_an_idle_period"));
  // "No CPU time": ten millionths of a core, which top and ps show as 0.0 % for ever.
  bars.push_back(within(10, "us of CPU a second, parked for good", Better::kSmaller, 10,
                        "parked-idle/unbounded"));
  bars.push_back(within(10, "us of CPU a second, with the look of max_idle", Better::kSmaller, 100,
                        "parked-idle/max-idle"));
  for (const char* variant : {"none", "count", "time"}) {
    bars.push_back(within(10, fmt::format("doorbells off the formula, moderation: {}", variant),
                          Better::kSmaller, 0, fmt::format("moderation/{}", variant)));
  }
}

/// The p50s of all rounds behind a ratio of many rings, and that ring alone at 100,000/s.
std::optional<std::string> why_many_rings_wait(const std::string& loop, double rate_hz,
                                               const Rounds& rounds) {
  std::vector<double> many;
  std::vector<double> alone;
  std::vector<double> slower;
  for (const Round& round : rounds) {
    const std::string id = id_at(loop, rate_hz);
    if (const auto ns = value_of(round, id, "among_many_p50_ns")) many.push_back(*ns);
    if (const auto ns = value_of(round, id, "alone_p50_ns")) alone.push_back(*ns);
    if (const auto ns = value_of(round, id_at(loop, 1e5), "alone_p50_ns")) slower.push_back(*ns);
  }
  if (many.empty() || slower.empty()) return std::nullopt;
  return fmt::format(
      "p50 {:.0f} ns among 1,024 rings and {:.0f} alone, but alone {:.0f} at 100,000/s: a line "
      "takes so long from core to core, and only a poller that does nothing else beats that",
      median(many), median(alone), median(slower));
}

void add_many_rings_bars(Bars& bars) {
  for (const char* strategy : {"busy-spin", "adaptive"}) {
    const std::string loop = fmt::format("many-rings/{}", strategy);
    bars.push_back(within(11, fmt::format("{}: one of 1,024 rings busy / alone", strategy),
                          Better::kLarger, 0.8, loop));
    for (const double rate_hz : {1e4, 1e5, 1e6}) {
      bars.push_back(within(11, fmt::format("{}: the same, p50 at {}", strategy, at(rate_hz)),
                            Better::kSmaller, 1.5, id_at(loop, rate_hz), "p50_ratio"));
      bars.back().why_not = [loop, rate_hz](const Rounds& rounds) {
        return why_many_rings_wait(loop, rate_hz, rounds);
      };
    }
  }
}

}  // namespace

void add_idle_bars(Bars& bars) {
  for (const int burst : {1, 32}) {
    bars.push_back(within(9, fmt::format("publish x{}, nobody armed / no doorbells", burst),
                          Better::kSmaller, 1.03, fmt::format("doorbell-look/burst{}", burst)));
  }
  add_parked_bars(bars);
  add_many_rings_bars(bars);
  for (const double rate_hz : kSweepRatesHz) {
    bars.push_back(within(12, fmt::format("adaptive / worse of spin and park, {}", at(rate_hz)),
                          Better::kLarger, 0.9, id_at("rate-sweep", rate_hz)));
  }
}

}  // namespace evring::bench
