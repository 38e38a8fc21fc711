// SPDX-License-Identifier: MIT
// What the look at who is armed costs a producer: the same loop with doorbells and with
// doorbells compiled out, A B A B in one process. Nobody reads, and a consumer is
// registered that is not armed: it spins, or would.
#pragma once

#include <bench/measure/thread.hpp>

#include <chrono>
#include <cstddef>

namespace evring::bench {

struct DoorbellLookOptions {
  std::size_t slot_count = 4096;
  std::size_t burst_count = 32;  ///< 1: one event a call
  unsigned turn_count = 40;      ///< of each
  std::chrono::microseconds turn{1000};
  Placement placement{};
};

struct DoorbellLookResult {
  double looking_ns = 0;  ///< an event, median over turns
  double silent_ns = 0;   ///< doorbells compiled out
  double ratio = 0;       ///< median of the ratios of neighbours
  bool exact = false;     ///< each published what it offered, and nobody was rung
};

DoorbellLookResult run_doorbell_look(const DoorbellLookOptions& options);

}  // namespace evring::bench
