// SPDX-License-Identifier: MIT
// Bar 5: latency.
#include "bars.hpp"

#include <fmt/format.h>

namespace evring::bench {
namespace {

constexpr const char* kOurs = "evring-overwrite";
constexpr const char* kTurns = "ping-pong/evring-overwrite/56B";

std::string latency_id(const std::string& name, double rate_hz) {
  return fmt::format("latency/{}/56B/{:.0f}Hz/4096", name, rate_hz);
}

std::optional<double> half_round_trip(const Round& round) {
  const std::optional<double> line = value_of(round, kTurns, "one_line_ns");
  return line ? std::optional<double>(*line / 2) : std::nullopt;
}

}  // namespace

void add_latency_bars(Bars& bars) {
  for (const double rate_hz : {1e3, 1e4, 1e5, 1e6}) {
    const Candidate ours{kOurs, figure_of(latency_id(kOurs, rate_hz))};
    bars.push_back(
        {.bar = 5,
         .name = fmt::format("one-way p50 at {:.0f}/s / half a bare round trip", rate_hz),
         .better = Better::kSmaller,
         .limit = 1.1,
         .ours = {ours},
         .theirs = {{"half of a bare line there and back", half_round_trip}}});
    bars.push_back({.bar = 5,
                    .name = fmt::format("one-way p50 at {:.0f}/s / best packaged peer", rate_hz),
                    .better = Better::kSmaller,
                    .limit = 1.0,
                    .ours = {ours},
                    .theirs = packaged(true, true, 56, [rate_hz](const std::string& name) {
                      return latency_id(name, rate_hz);
                    })});
  }
  bars.push_back({.bar = 5,
                  .name = "round trip / bare two-line ping-pong, in turns",
                  .better = Better::kSmaller,
                  .limit = 0.65,
                  .ours = {{kOurs, figure_of(kTurns)}},
                  .theirs = {{"two bare lines", figure_of(kTurns, "two_line_ns")}}});
}

}  // namespace evring::bench
