// SPDX-License-Identifier: MIT
// Bar 5: latency.
#include "bars.hpp"

#include <fmt/format.h>

namespace evring::bench {
namespace {

constexpr const char* kOurs[] = {"evring-overwrite", "evring-gated", "evring-gated-in-place"};

std::string latency_id(const std::string& name, double rate_hz) {
  return fmt::format("latency/{}/56B/{:.0f}Hz/4096", name, rate_hz);
}

std::vector<Candidate> ours_at(double rate_hz) {
  std::vector<Candidate> candidates;
  for (const char* name : kOurs) {
    candidates.push_back({name, figure_of(latency_id(name, rate_hz))});
  }
  return candidates;
}

/// Over half the round trip of a bare line in the same process.
Figure of_half_round_trip(const std::string& name, double rate_hz) {
  const std::string id = latency_id(name, rate_hz);
  return ratio_of(figure_of(id), [id](const Round& round) -> std::optional<double> {
    const std::optional<double> line = value_of(round, id, "one_line_ns");
    return line ? std::optional<double>(*line / 2) : std::nullopt;
  });
}

}  // namespace

void add_latency_bars(Bars& bars) {
  for (const double rate_hz : {1e3, 1e4, 1e5, 1e6}) {
    const std::vector<Candidate> ours = ours_at(rate_hz);
    std::vector<Candidate> halves;
    for (const char* name : kOurs) halves.push_back({name, of_half_round_trip(name, rate_hz)});
    bars.push_back(
        {.bar = 5,
         .name = fmt::format("one-way p50 at {:.0f}/s / half a bare line's round trip", rate_hz),
         .better = Better::kSmaller,
         .limit = 1.1,
         .ours = halves,
         .why_not = held_back_by(
             of_half_round_trip("bare-slots", rate_hz), Better::kSmaller, 1.1,
             "stamped lines with no queue around them, the payload filled and checked and the "
             "clock read alike, take {:.2f} of half the bare round trip")});
    bars.push_back({.bar = 5,
                    .name = fmt::format("one-way p50 at {:.0f}/s / best packaged peer", rate_hz),
                    .better = Better::kSmaller,
                    .limit = 1.0,
                    .ours = ours,
                    .theirs = packaged(true, true, 56, [rate_hz](const std::string& name) {
                      return latency_id(name, rate_hz);
                    })});
  }
  std::vector<Candidate> turns;  // each against the bare lines of its own process
  for (const char* name : kOurs) {
    const std::string id = fmt::format("ping-pong/{}/56B", name);
    turns.push_back({name, ratio_of(figure_of(id), figure_of(id, "two_line_ns"))});
  }
  bars.push_back({.bar = 5,
                  .name = "round trip / bare two-line ping-pong, in turns",
                  .better = Better::kSmaller,
                  .limit = 0.65,
                  .ours = turns,
                  .why_not = held_back_by(
                      ratio_of(figure_of("ping-pong/bare-slots/56B"),
                               figure_of("ping-pong/bare-slots/56B", "two_line_ns")),
                      Better::kSmaller, 0.65,
                      "stamped lines with no queue around them take {:.2f} of two bare lines")});
}

}  // namespace evring::bench
