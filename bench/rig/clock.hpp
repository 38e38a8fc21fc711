// SPDX-License-Identifier: MIT
// Clocks, and order statistics of what they say. Ticks are the cheapest clock that two cores
// share: the time stamp counter where there is one, CLOCK_MONOTONIC elsewhere.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace evring::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_between(Clock::time_point begin, Clock::time_point end) noexcept {
  return std::chrono::duration<double>(end - begin).count();
}

inline std::uint64_t ticks_now() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
#endif
}

/// Measured once, over ten milliseconds. Any thread.
double ticks_per_ns();

/// May be negative: the counters of two cores need not agree.
inline double ns_between(std::uint64_t begin_ticks, std::uint64_t end_ticks) {
  return static_cast<double>(static_cast<std::int64_t>(end_ticks - begin_ticks)) / ticks_per_ns();
}

/// When events are due at a rate. Makes up for at most eight that came late.
class Pacer {
 public:
  explicit Pacer(double rate_hz)
      : between_(static_cast<std::uint64_t>(ticks_per_ns() * 1e9 / rate_hz)), due_(ticks_now()) {}
  /// Spins until the next event is due.
  void wait() noexcept {
    while (static_cast<std::int64_t>(ticks_now() - due_) < 0) {
    }
    due_ = std::max(due_ + between_, ticks_now() - 8 * between_);
  }

 private:
  const std::uint64_t between_;
  std::uint64_t due_;
};

/// The value below which `fraction` of the sorted samples lie (nearest rank); 0 of none.
template <class Number>
Number percentile_sorted(const std::vector<Number>& sorted, double fraction) {
  if (sorted.empty()) return Number{};
  const double rank = std::ceil(fraction * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

template <class Number>
Number median(std::vector<Number> samples) {
  std::sort(samples.begin(), samples.end());
  return percentile_sorted(samples, 0.5);
}

}  // namespace evring::bench
