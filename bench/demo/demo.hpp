// SPDX-License-Identifier: MIT
// The two halves of the demonstration.
#pragma once

#include <chrono>

namespace evring::demo {

/// Local rings beside the mutex list, on this machine, without root.
/// @return whether every balance holds.
bool run_here(std::chrono::milliseconds each);

/// Kernel devices (timer, edu, soft), in a machine that has the modules loaded.
/// @return whether every balance holds.
bool run_kernel(std::chrono::milliseconds each);

}  // namespace evring::demo
