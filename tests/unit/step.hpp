// SPDX-License-Identifier: MIT
// Runs code one instruction at a time (x86-64: the trap flag), so that a test does between any
// two of them what another core may do there, and sees which instructions are full fences.
// Nothing is left to chance: every place is tried.
#pragma once

#include <ucontext.h>

#include <evring/detail/words.hpp>

#include <atomic>
#include <csignal>
#include <cstdint>

#if defined(__x86_64__) && !defined(EVRING_SANITIZED)
#define EVRING_CAN_STEP 1
#else
#define EVRING_CAN_STEP 0  // a sanitizer runs many instructions for one of ours
#endif

namespace evring::testing {

/// Who is told of each instruction; it may call anything that signals leave alone.
struct Stepper {
  void (*at)(void* self, const std::uint8_t* instruction) = nullptr;
  void* self = nullptr;
  std::atomic<bool> is_on = false;
};

inline Stepper& stepper() {
  static Stepper one;
  return one;
}

#if EVRING_CAN_STEP

inline void on_step(int, siginfo_t*, void* context) {
  constexpr greg_t kTrapFlag = 0x100;
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  Stepper& one = stepper();
  if (!one.is_on.load(std::memory_order_relaxed)) {
    registers[REG_EFL] &= ~kTrapFlag;
    return;
  }
  registers[REG_EFL] |= kTrapFlag;
  one.at(one.self, reinterpret_cast<const std::uint8_t*>(registers[REG_RIP]));
}

/// Runs `body()`, and `at(instruction)` before each of its instructions.
template <class Body, class At>
void step_through(Body&& body, At&& at) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_sigaction = on_step;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGTRAP, &action, &before);
  Stepper& one = stepper();
  one.at = [](void* self, const std::uint8_t* instruction) {
    (*static_cast<At*>(self))(instruction);
  };
  one.self = &at;
  one.is_on.store(true, std::memory_order_relaxed);
  __asm__ volatile("int3" ::: "memory");
  body();
  one.is_on.store(false, std::memory_order_relaxed);  // no fence; the next trap ends it
  __asm__ volatile("nop" ::: "memory");
  ::sigaction(SIGTRAP, &before, nullptr);
}

#else

template <class Body, class At>
void step_through(Body&&, At&&) {}

#endif

/// Runs `body()` again and again, with `meanwhile()` once, between two of its instructions: at
/// the first of them, then at the second, until it has been at every one.
/// @return how many there were.
template <class Body, class Meanwhile>
std::uint64_t at_every_instruction(Body&& body, Meanwhile&& meanwhile) {
  for (std::uint64_t target = 0;; ++target) {
    std::uint64_t step = 0;
    step_through(body, [&](const std::uint8_t*) {
      if (step++ != target) return;
      meanwhile();
      stepper().is_on.store(false, std::memory_order_relaxed);  // at full speed from here on
    });
    if (step <= target) return target;
  }
}

/// Whether the instruction makes all stores before it visible before any load after it.
inline bool is_full_fence(const std::uint8_t* at) {
  for (bool is_prefix = true; is_prefix; at += is_prefix ? 1 : 0) {
    if (*at == 0xf0) return true;  // lock
    is_prefix = *at == 0x66 || *at == 0xf2 || *at == 0xf3 || (*at >= 0x40 && *at <= 0x4f);
  }
  const bool is_exchange = (*at == 0x86 || *at == 0x87) && at[1] < 0xc0;
  const bool is_mfence = at[0] == 0x0f && at[1] == 0xae && (at[2] & 0xf8) == 0xf0;
  return is_exchange || is_mfence;
}

/// How many full fences `body()` runs while `is_between()`.
template <class Body, class Between>
std::uint64_t count_fences(Body&& body, Between&& is_between) {
  std::uint64_t count = 0;
  step_through(body, [&](const std::uint8_t* instruction) {
    if (is_full_fence(instruction) && is_between()) ++count;
  });
  return count;
}

}  // namespace evring::testing
