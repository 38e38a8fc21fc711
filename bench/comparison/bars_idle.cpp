// SPDX-License-Identifier: MIT
// Bars 9 to 12: doorbells, parking, many rings, and the rates between idle and full.
#include "bars.hpp"

namespace evring::bench {

void add_idle_bars(Bars& bars) {
  bars.push_back(
      not_measured(9, "publish, nobody armed / doorbells compiled out", Better::kSmaller, 1.03));
  bars.push_back({.bar = 10,
                  .name = "doorbell wake-up p50 / bare eventfd",
                  .better = Better::kSmaller,
                  .limit = 1.15,
                  .ours = {{"doorbell", figure_of("doorbell-wake")}},
                  .theirs = {{"eventfd", figure_of("eventfd-wake")}}});
  bars.push_back(not_measured(11, "1,024 rings, one busy / that ring alone", Better::kLarger, 0.8));
  bars.push_back(
      not_measured(12, "worst rate of the sweep / worse of spin and park", Better::kLarger, 0.9));
}

}  // namespace evring::bench
