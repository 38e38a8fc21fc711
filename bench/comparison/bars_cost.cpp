// SPDX-License-Identifier: MIT
// Bar 8: what a queue costs when no line has to move.
#include "bars.hpp"

namespace evring::bench {
namespace {

std::string same_thread_id(const std::string& name) {
  return "same-thread/" + name + "/56B/burst32";
}

Candidate same_thread(const std::string& name) { return {name, figure_of(same_thread_id(name))}; }

Candidate above_no_queue(const std::string& name) {
  return {name, [name](const Round& round) -> std::optional<double> {
            const auto with = value_of(round, "instructions/" + name + "/56B/burst32");
            const auto without = value_of(round, "instructions/no-queue/56B/burst32");
            if (!with || !without) return std::nullopt;
            return *with - *without;
          }};
}

}  // namespace

void add_cost_bars(Bars& bars) {
  bars.push_back({.bar = 8,
                  .name = "produce + consume, 56 B x32 / cheapest packaged peer",
                  .better = Better::kSmaller,
                  .limit = 1.05,
                  .ours = {same_thread("evring-gated"), same_thread("evring-gated-in-place"),
                           same_thread("evring-overwrite")},
                  .theirs = packaged(true, true, 56, same_thread_id)});
  bars.push_back({.bar = 8,
                  .name = "produce + consume, 56 B x32: instructions an event above no queue",
                  .better = Better::kSmaller,
                  .limit = 28,
                  .ours = {above_no_queue("evring-gated"), above_no_queue("evring-gated-in-place"),
                           above_no_queue("evring-overwrite")}});
}

}  // namespace evring::bench
