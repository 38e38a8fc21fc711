// SPDX-License-Identifier: MIT
// Bar 15: a consumer that has stopped, or died.
#include "bars.hpp"

namespace evring::bench {

void add_stopped_bars(Bars& bars) {
  for (const std::string how : {"stopped", "killed"}) {
    const std::string id = "stopped-consumer/" + how;
    bars.push_back({.bar = 15,
                    .name = "overwrite, a consumer " + how + ": producer's rate / without it",
                    .limit = 0.95,
                    .ours = {{"evring-overwrite", figure_of(id)}}});
    bars.push_back({.bar = 15,
                    .name = "a consumer " + how + ": share delivered to the other / without it",
                    .limit = 0.95,
                    .ours = {{"evring-overwrite", figure_of(id, "delivered_ratio")}}});
    bars.push_back({.bar = 15,
                    .name = "a consumer " + how + ": events that the other lost more at 1 M/s",
                    .better = Better::kSmaller,
                    .limit = 0,
                    .ours = {{"evring-overwrite", figure_of(id, "paced_lost_more")}}});
  }
}

}  // namespace evring::bench
