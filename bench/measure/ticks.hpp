// SPDX-License-Identifier: MIT
// The cheapest clock that two cores share: the time stamp counter where there is
// one, CLOCK_MONOTONIC elsewhere. Raw ticks; ticks_per_ns() says what they are worth.
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace evring::bench {

inline std::uint64_t ticks_now() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// Measured once, over ten milliseconds. Any thread.
double ticks_per_ns();

}  // namespace evring::bench
