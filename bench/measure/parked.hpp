// SPDX-License-Identifier: MIT
// A parked poller: how fast it wakes beside a bare eventfd, what it costs while it
// sleeps, and how many doorbells it takes.
#pragma once

#include <bench/measure/thread.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace evring::bench {

struct ParkedWakeOptions {
  unsigned round_count = 100;
  std::chrono::microseconds sleep{1000};  ///< how long each sleeper has slept
  Placement placement{};
};

struct ParkedWakeResult {
  double poller_p50_ns = 0;   ///< publish to handler
  double eventfd_p50_ns = 0;  ///< write to the return of a blocking read
  double waker_p50_ns = 0;    ///< what the publish took
  std::uint64_t idle_periods = 0;
  std::uint64_t doorbells = 0;
  bool exact = false;  ///< every event came, once, and one wake-up an idle period
};

/// A parked poller and a thread in read(2) on an eventfd, both on the second CPU, woken in
/// turns. Three events are published each time: one doorbell must do for them.
ParkedWakeResult run_parked_wake(const ParkedWakeOptions& options);

struct ParkedIdleResult {
  double seconds = 0;
  double poller_cpu_us = 0;    ///< CPU time of the poller's thread in that while
  double reader_cpu_us = 0;    ///< of a thread that slept in read(2) beside it
  std::uint64_t wake_ups = 0;  ///< of the poller, by max_idle
  bool exact = false;          ///< it was parked, and woke for the event after it
};

/// The default strategy and options, with or without the look every second (max_idle).
ParkedIdleResult run_parked_idle(std::chrono::milliseconds duration, bool with_max_idle,
                                 const Placement& placement);

struct Moderation {
  unsigned wake_events = 1;
  std::chrono::microseconds wake{0};
  unsigned burst_count = 1;          ///< events of a batch
  std::chrono::microseconds gap{0};  ///< from batch to batch
  unsigned batch_count = 60;
};

/// Doorbells that `moderation` must take, by the formula of ring/PROTOCOL.md.
std::uint64_t expected_doorbells(const Moderation& moderation);

struct ModerationResult {
  std::uint64_t expected = 0;
  std::uint64_t rung = 0;   ///< counted by the producer
  std::uint64_t woken = 0;  ///< counted by the poller
  bool exact = false;       ///< every event came, once
};

/// Publishes batches to a poller that parks whenever it can.
ModerationResult run_moderation(const Moderation& moderation, const Placement& placement);

}  // namespace evring::bench
