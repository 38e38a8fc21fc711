// SPDX-License-Identifier: MIT
// What a tick is worth.
#include <bench/measure/ticks.hpp>

#include <thread>

namespace evring::bench {
namespace {

double calibrate() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  const std::uint64_t begin_ticks = ticks_now();
  Clock::time_point end = begin;
  while (end - begin < std::chrono::milliseconds(10)) end = Clock::now();
  const std::uint64_t ticks = ticks_now() - begin_ticks;
  return static_cast<double>(ticks) / std::chrono::duration<double, std::nano>(end - begin).count();
}

}  // namespace

double ticks_per_ns() {
  static const double value = calibrate();
  return value;
}

}  // namespace evring::bench
