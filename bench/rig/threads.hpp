// SPDX-License-Identifier: MIT
// Where the roles of a measurement run: one CPU each while there are enough, shared and
// yielding when not. Set-up throws std::system_error.
#pragma once

#include <bench/rig/case.hpp>
#include <evring/memory.hpp>

#include <sched.h>

#include <atomic>
#include <functional>
#include <vector>

namespace evring::bench {

/// CPUs this process could run on when it started, ascending.
const std::vector<int>& allowed_cpus();

/// Pins the calling thread. @throws std::system_error naming the CPU.
void pin_this_thread(int cpu);

/// How a thread of a measurement is placed. Role 0 is the producer.
struct Placement {
  std::vector<int> cpus = allowed_cpus();
  bool fifo = false;           ///< SCHED_FIFO where it is allowed
  bool producer_alone = true;  ///< on the first CPU, where there are two; else consumers
                               ///< that outnumber the rest take turns on it as well

  /// As a case asks for it: its variant "spread" leaves the producer no CPU of its own.
  static Placement of(const Case& one);

  int cpu_of(unsigned role) const;
  /// Pins the calling thread to the role's CPU, in the wanted class.
  void enter(unsigned role) const;
  bool oversubscribed(unsigned role_count) const noexcept { return role_count > cpus.size(); }
};

/// Variant of throughput: differs from none where there are more threads than CPUs.
inline constexpr std::string_view kSpread = "spread";

/// What a thread does when it found nothing to do: a spin hint, or its time slice
/// given away where threads outnumber CPUs. It gives one away now and then anyway, so
/// that a machine with other work on it does not spin a whole slice for nothing.
class Pause {
 public:
  explicit Pause(bool yielding) noexcept : yielding_(yielding) {}
  bool yields() const noexcept { return yielding_; }
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

/// The threads of one measurement, a role each. All meet at a barrier that spins, so that
/// they leave it at once.
class Rig {
 public:
  /// Threads that share CPUs stay in SCHED_OTHER: a queue that spins inside for another
  /// thread would else keep that thread from its CPU for ever.
  Rig(Placement placement, unsigned role_count)
      : placement_(std::move(placement)),
        role_count_(role_count),
        pause_(placement_.oversubscribed(role_count)) {
    placement_.fifo = placement_.fifo && !placement_.oversubscribed(role_count);
  }

  /// Runs all roles, the i-th on the i-th CPU, and returns when all have.
  void run(const std::vector<std::function<void()>>& roles) const;

  void meet() noexcept {
    const unsigned phase = phase_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == role_count_) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      return;
    }
    Pause pause = pause_;
    while (phase_.load(std::memory_order_acquire) == phase) pause();
  }

  Pause pause() const noexcept { return pause_; }

 private:
  Placement placement_;
  const unsigned role_count_;
  const Pause pause_;
  std::atomic<unsigned> arrived_{0};
  std::atomic<unsigned> phase_{0};
};

}  // namespace evring::bench
