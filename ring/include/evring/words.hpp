// SPDX-License-Identifier: MIT
// Copies payload words between a slot and private memory. The reference goes word
// by word with relaxed atomics, which the memory model, the sanitizers and every
// CPU allow. On x86-64 a pair of words moves in one 16-byte access.
//
// Why the wide path is sound there: plain vector loads and stores keep their place
// among other loads and stores (TSO), at least 8 bytes at a time move at once, and
// nothing is concluded from a payload before its stamp and its check agree. It is
// never used for a stamp, nor under a sanitizer.
#pragma once

#include <evring/memory.hpp>

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define EVRING_WIDE_WORDS 1
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#undef EVRING_WIDE_WORDS
#endif
#endif
#endif

#if defined(EVRING_WIDE_WORDS)
#include <emmintrin.h>
#endif

namespace evring {

/// Stores `word_count` words from private memory to a slot. `to` is 8-byte aligned.
inline void store_words(std::uint64_t* to, const std::byte* from, std::size_t word_count) noexcept {
  std::size_t i = 0;
#if defined(EVRING_WIDE_WORDS)
  for (; i + 2 <= word_count; i += 2) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 8 * i)));
  }
#endif
  for (; i < word_count; ++i) {
    std::uint64_t word;
    __builtin_memcpy(&word, from + 8 * i, 8);
    store_relaxed(to + i, word);
  }
}

/// Loads `word_count` words from a slot into private memory.
inline void load_words(std::byte* to, const std::uint64_t* from, std::size_t word_count) noexcept {
  std::size_t i = 0;
#if defined(EVRING_WIDE_WORDS)
  for (; i + 2 <= word_count; i += 2) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 8 * i),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
  }
#endif
  for (; i < word_count; ++i) {
    const std::uint64_t word = load_relaxed(from + i);
    __builtin_memcpy(to + 8 * i, &word, 8);
  }
}

}  // namespace evring
