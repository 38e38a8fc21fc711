// SPDX-License-Identifier: MIT
// Where measuring threads run: one CPU each while there are enough, shared and
// yielding when not. Set-up throws std::system_error.
#pragma once

#include <evring/memory.hpp>

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace evring::bench {

/// CPUs this process could run on when it started, ascending.
std::vector<int> allowed_cpus();

/// Pins the calling thread. @throws std::system_error naming the CPU.
void pin_this_thread(int cpu);

/// Asks for SCHED_FIFO for the calling thread. @return whether it was allowed.
bool run_this_thread_fifo() noexcept;

/// How a thread of a measurement is placed and waits. Thread 0 is the producer.
struct Placement {
  std::vector<int> cpus = allowed_cpus();
  bool fifo = false;           ///< SCHED_FIFO where it is allowed
  bool producer_alone = true;  ///< on the first CPU, where there are two; else consumers
                               ///< that outnumber the rest take turns on it as well

  int cpu_of(unsigned thread_index) const;
  void enter(unsigned thread_index) const;
  bool oversubscribed(unsigned thread_count) const noexcept { return thread_count > cpus.size(); }
  /// The same for that many threads: in SCHED_OTHER where they share CPUs. A queue that
  /// spins inside for another thread would else keep that thread from its CPU for ever.
  Placement for_threads(unsigned thread_count) const {
    Placement placement = *this;
    placement.fifo = fifo && !oversubscribed(thread_count);
    return placement;
  }
};

/// What a thread does when it found nothing to do: a spin hint, or its time slice
/// given away where threads outnumber CPUs. It gives one away now and then anyway, so
/// that a machine with other work on it does not spin a whole slice for nothing.
class Pause {
 public:
  explicit Pause(bool yielding) noexcept : yielding_(yielding) {}
  void operator()() noexcept {
    if (yielding_ || ++spins_ % kSpinsPerYield == 0) {
      sched_yield();
    } else {
      cpu_relax();
    }
  }

 private:
  static constexpr unsigned kSpinsPerYield = 1024;
  bool yielding_;
  unsigned spins_ = 0;
};

/// Threads meet here; spins, so that all leave at once.
class SpinBarrier {
 public:
  SpinBarrier(unsigned thread_count, Pause pause) noexcept
      : thread_count_(thread_count), pause_(pause) {}

  void arrive_and_wait() noexcept {
    const unsigned phase = phase_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == thread_count_) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      return;
    }
    Pause pause = pause_;
    while (phase_.load(std::memory_order_acquire) == phase) pause();
  }

 private:
  const unsigned thread_count_;
  const Pause pause_;
  std::atomic<unsigned> arrived_{0};
  std::atomic<unsigned> phase_{0};
};

using Clock = std::chrono::steady_clock;

inline double seconds_between(Clock::time_point begin, Clock::time_point end) noexcept {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace evring::bench
