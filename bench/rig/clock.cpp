// SPDX-License-Identifier: MIT
// What a tick is worth.
#include <bench/rig/clock.hpp>

namespace evring::bench {
namespace {

double calibrate() {
  const Clock::time_point begin = Clock::now();
  const std::uint64_t begin_ticks = ticks_now();
  Clock::time_point end = begin;
  while (end - begin < std::chrono::milliseconds(10)) end = Clock::now();
  return static_cast<double>(ticks_now() - begin_ticks) / (seconds_between(begin, end) * 1e9);
}

}  // namespace

double ticks_per_ns() {
  static const double value = calibrate();
  return value;
}

}  // namespace evring::bench
