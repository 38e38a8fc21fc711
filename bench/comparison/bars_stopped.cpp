// SPDX-License-Identifier: MIT
// Bar 15: a consumer that has stopped, or died.
#include "bars.hpp"

namespace evring::bench {

void add_stopped_bars(Bars& bars) {
  bars.push_back(
      not_measured(15, "producer with a stopped consumer / without", Better::kLarger, 0.95));
}

}  // namespace evring::bench
