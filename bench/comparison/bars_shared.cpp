// SPDX-License-Identifier: MIT
// Bar 7: work sharing.
#include "bars.hpp"

namespace evring::bench {

void add_shared_bars(Bars& bars) {
  bars.push_back(not_measured(7, "group / best of rte_ring SP/MC and HTS", Better::kLarger, 1.25));
}

}  // namespace evring::bench
