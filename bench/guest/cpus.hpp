// SPDX-License-Identifier: MIT
// The CPUs of the guest.
#pragma once

#include <vector>

namespace evring::compare {

/// CPUs this process may run on, as long as it has not pinned itself.
std::vector<int> allowed_cpus();

}  // namespace evring::compare
