// SPDX-License-Identifier: MIT
#include <evring/memory.hpp>
#include <evring/poller/relax.hpp>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace evring {
namespace {

constexpr std::uint32_t kWaitpkgBit = 1U << 5;

std::uint32_t leaf7_ecx() noexcept {
#if defined(__x86_64__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 ? ecx : 0;
#else
  return 0;
#endif
}

void timed_pause() noexcept {
#if defined(__x86_64__)
  constexpr std::uint64_t kTicks = 256;  // no longer than a line takes from core to core
  constexpr std::uint32_t kShallow = 1;  // C0.1: back at once
  const std::uint64_t until = __rdtsc() + kTicks;
  // tpause %ecx, by its bytes: an assembler need not know it.
  __asm__ volatile(".byte 0x66, 0x0f, 0xae, 0xf1"
                   :
                   : "c"(kShallow), "a"(static_cast<std::uint32_t>(until)),
                     "d"(static_cast<std::uint32_t>(until >> 32))
                   : "cc", "memory");
#endif
}

}  // namespace

const char* to_string(Relax relax) noexcept {
  return relax == Relax::kTimedPause ? "tpause" : "pause";
}

Relax relax_for(std::uint32_t ecx) noexcept {
  return (ecx & kWaitpkgBit) != 0 ? Relax::kTimedPause : Relax::kPause;
}

Relax best_relax() noexcept {
  static const Relax best = relax_for(leaf7_ecx());
  return best;
}

void relax_once(Relax relax) noexcept {
  if (relax == Relax::kTimedPause) {
    timed_pause();
  } else {
    cpu_relax();
  }
}

}  // namespace evring
