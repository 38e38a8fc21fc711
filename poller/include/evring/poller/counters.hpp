// SPDX-License-Identifier: MIT
// What a poller counts. Written by the poller's thread alone, readable by any
// thread at any time, at the cost of a plain store.
#pragma once

#include <atomic>
#include <cstdint>

namespace evring {

/// A count with one writer: no locked instruction, no torn read.
class Counter {
 public:
  void add(std::uint64_t amount) noexcept { set(get() + amount); }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }
  operator std::uint64_t() const noexcept { return get(); }  // NOLINT: reads like a number

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Of one ring. received + lost == cursor - start at every quiet moment.
struct RingCounters {
  Counter start, cursor, received, lost, overruns;  ///< the consumer's balance
  Counter bursts;                                   ///< looks that found events
  Counter empty_polls;                              ///< looks that found none
  Counter arms;                                     ///< doorbells asked for
  Counter doorbells;                                ///< doorbells that came
};

/// Of one poller.
struct PollerCounters {
  Counter events;
  Counter bursts;
  Counter empty_polls;
  Counter doorbells;
  Counter parks;           ///< sleeps
  Counter wakes;           ///< sleeps that a doorbell ended
  Counter spurious_wakes;  ///< of these, followed by no event
  Counter idle_wakes;      ///< sleeps that max_idle ended
  Counter completions;     ///< io_uring completions (or epoll events) taken
};

}  // namespace evring
