// SPDX-License-Identifier: MIT
// Bars 13 and 14: the kernel side, in a guest.
#include "bars.hpp"

namespace evring::bench {

void add_guest_bars(Bars& bars) {
  bars.push_back(not_measured(13, "guest: delivered / mutex-list driver", Better::kLarger, 10));
  bars.push_back(
      not_measured(14, "guest: cost in interrupt / local producer", Better::kSmaller, 1.3));
}

}  // namespace evring::bench
