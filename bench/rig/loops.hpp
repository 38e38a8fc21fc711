// SPDX-License-Identifier: MIT
// The loops that have queues of their own; loops.cpp names them. Both sides of each ratio run
// in turns in the case's one process.
#pragma once

#include <bench/rig/case.hpp>

#include <chrono>

namespace evring::bench {

Record stopped_consumer(const Case& one);  // stopped.cpp: variants "stopped", "killed"
Record doorbell_look(const Case& one);     // doorbell_look.cpp
Record parked_wake(const Case& one);       // parked.cpp
Record parked_idle(const Case& one);       // "max-idle": with the default's look every second
Record moderation(const Case& one);        // "none", "count", "time"
Record many_rings(const Case& one);        // pollers.cpp: a strategy
Record rate_sweep(const Case& one);
Record waiting(const Case& one);  // STRATEGY[:SPIN_US[:WAKE_EVENTS:WAKE_US]], for tuning

/// Batches for a poller that parks whenever it can.
struct Moderation {
  unsigned wake_events = 1;
  std::chrono::microseconds wake{0};
  unsigned burst_count = 1;          ///< events of a batch
  std::chrono::microseconds gap{0};  ///< from batch to batch
  unsigned batch_count = 60;
};

/// Doorbells that `moderation` must take, by the formula of ring/PROTOCOL.md.
std::uint64_t expected_doorbells(const Moderation& moderation);

}  // namespace evring::bench
