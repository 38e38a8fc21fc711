// SPDX-License-Identifier: MIT
// Waiting for what must come, however busy the machine is.
#pragma once

#include <chrono>
#include <thread>

namespace evring {

/// Whether `condition` came true within `limit`; only a failure takes all of it.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace evring
