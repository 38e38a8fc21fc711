// SPDX-License-Identifier: MIT
// What a wake-up costs on this machine: from the publish to the moment the sleeper
// runs, after it has slept a given while. evring's doorbell beside a bare eventfd and
// a bare futex; and one system call.
#pragma once

#include <bench/measure/thread.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace evring::bench {

struct WakeOptions {
  std::chrono::microseconds sleep{1000};  ///< how long the sleeper has slept
  unsigned round_count = 200;
  Placement placement{};
};

struct WakeResult {
  double p50_ns = 0;  ///< publish to running
  double p99_ns = 0;
  double waker_p50_ns = 0;  ///< what the publish itself took
  std::uint64_t doorbells = 0;
  bool exact = false;  ///< one wake-up a round, none lost
};

WakeResult run_eventfd_wake(const WakeOptions& options);
WakeResult run_futex_wake(const WakeOptions& options);
/// A local ring: the consumer arms, sleeps in poll(2) on its doorbell, reads.
WakeResult run_doorbell_wake(const WakeOptions& options);

/// One getppid(2), in ns.
double syscall_ns();

}  // namespace evring::bench
