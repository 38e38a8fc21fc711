// SPDX-License-Identifier: MIT
// Bar 8: what a queue costs when no line has to move.
#include "bars.hpp"

namespace evring::bench {
namespace {

std::string same_thread_id(const std::string& name) {
  return "same-thread/" + name + "/56B/burst32";
}

Candidate same_thread(const std::string& name) { return {name, figure_of(same_thread_id(name))}; }

}  // namespace

void add_cost_bars(Bars& bars) {
  bars.push_back({.bar = 8,
                  .name = "produce + consume, 56 B x32 / cheapest packaged peer",
                  .better = Better::kSmaller,
                  .limit = 1.05,
                  .ours = {same_thread("evring-gated"), same_thread("evring-gated-in-place"),
                           same_thread("evring-overwrite")},
                  .theirs = packaged(true, true, 56, same_thread_id)});
  bars.push_back(not_measured(8, "instructions per event above no queue", Better::kSmaller, 28));
}

}  // namespace evring::bench
