// SPDX-License-Identifier: MIT
// Every access to shared memory that the C++ side makes, with its ordering.
// Words are naturally aligned 64-bit; the mapping may change under a reader at
// any time, so nothing here is ever a plain load or store.
// Ordering is explained in ring/PROTOCOL.md; callers name their letter.
#pragma once

#include <atomic>
#include <cstdint>

namespace evring {

inline std::uint64_t load_relaxed(const std::uint64_t* word) noexcept {
  return __atomic_load_n(word, __ATOMIC_RELAXED);
}

inline std::uint64_t load_acquire(const std::uint64_t* word) noexcept {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

inline void store_relaxed(std::uint64_t* word, std::uint64_t value) noexcept {
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

inline void store_release(std::uint64_t* word, std::uint64_t value) noexcept {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/// Sets bits; returns the word before. Full order: it stands in front of a park.
inline std::uint64_t fetch_or(std::uint64_t* word, std::uint64_t bits) noexcept {
  return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

/// Adds; returns the word before. Full order.
inline std::uint64_t fetch_add(std::uint64_t* word, std::uint64_t value) noexcept {
  return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}

/// Stores `desired` if the word is `expected`, else loads it there. Full order.
inline bool compare_exchange(std::uint64_t* word, std::uint64_t& expected,
                             std::uint64_t desired) noexcept {
  return __atomic_compare_exchange_n(word, &expected, desired, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

/// Clears all bits outside `bits`; returns the word before.
inline std::uint64_t fetch_and(std::uint64_t* word, std::uint64_t bits) noexcept {
  return __atomic_fetch_and(word, bits, __ATOMIC_SEQ_CST);
}

inline void fence_acquire() noexcept { std::atomic_thread_fence(std::memory_order_acquire); }
inline void fence_release() noexcept { std::atomic_thread_fence(std::memory_order_release); }
inline void fence_full() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }

/// Keeps the compiler from moving accesses across it; the CPU may. For the cheap
/// side of an asymmetric barrier.
inline void fence_compiler() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

/// Asks for a line in order to read it. On x86-64 by name: GCC takes a function that does
/// nothing but prefetch for one without effect, and drops calls of it.
inline void prefetch_for_read(const void* line) noexcept {
#if defined(__x86_64__)
  __asm__("prefetcht0 %0" ::"m"(*static_cast<const char*>(line)));
#else
  __builtin_prefetch(line, 0, 3);
#endif
}

/// Asks for a line in order to write it. On x86-64 by name: without a flag for it the
/// compiler falls back to a prefetch for reading, which leaves the line shared. CPUs
/// that lack the instruction take it for a no-op.
inline void prefetch_for_write(const void* line) noexcept {
#if defined(__x86_64__)
  __asm__("prefetchw %0" ::"m"(*static_cast<const char*>(line)));
#else
  __builtin_prefetch(line, 1, 3);
#endif
}

/// Tells the core that this is a spin loop.
inline void cpu_relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__("yield" ::: "memory");
#else
  fence_compiler();
#endif
}

}  // namespace evring
