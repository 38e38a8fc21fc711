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

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define EVRING_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define EVRING_SANITIZED 1
#endif
#endif
#if defined(__x86_64__) && !defined(EVRING_SANITIZED)
#define EVRING_WIDE_WORDS 1
#endif

#if defined(EVRING_WIDE_WORDS)
#include <immintrin.h>
#endif

namespace evring {

/// `word`, in a general register: the compiler may not make one load of it and its neighbour.
[[gnu::always_inline]] inline std::uint64_t in_register(std::uint64_t word) noexcept {
#if defined(EVRING_WIDE_WORDS)
  __asm__("" : "+r"(word));
#endif
  return word;
}

/// A word of private memory. Its owner has just stored it in words, and a load wider than the
/// stores that it needs cannot be served from the store queue: it would wait until they have
/// left it, behind every store to a line that another core still holds.
inline std::uint64_t load_private(const std::byte* from) noexcept {
  std::uint64_t word;
  __builtin_memcpy(&word, from, sizeof(word));
  return in_register(word);
}

/// Stores two words to a slot. `to` is 16-byte aligned.
inline void store_pair(std::uint64_t* to, std::uint64_t low, std::uint64_t high) noexcept {
#if defined(EVRING_WIDE_WORDS)
  _mm_store_si128(reinterpret_cast<__m128i*>(to),
                  _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low)));
#else
  store_relaxed(to, low);
  store_relaxed(to + 1, high);
#endif
}

/// Stores `word_count` words from private memory to a slot, from the last one down, in
/// aligned pairs where they fall. `to` is 8-byte aligned.
inline void store_words(std::uint64_t* to, const std::byte* from, std::size_t word_count) noexcept {
  std::size_t i = word_count;
  if (i != 0 && reinterpret_cast<std::uintptr_t>(to + i) % 16 != 0) {
    --i;
    store_relaxed(to + i, load_private(from + 8 * i));
  }
  for (; i >= 2; i -= 2) {
    store_pair(to + i - 2, load_private(from + 8 * (i - 2)), load_private(from + 8 * (i - 1)));
  }
  if (i != 0) store_relaxed(to, load_private(from));
}

#if defined(EVRING_WIDE_WORDS)
/// Stores two pairs to private memory, as one where the compiler may load as much: whoever
/// reads them next, in words, pairs or all at once, is served by the one store.
[[gnu::always_inline]] inline void store_private(std::byte* to, __m128i low,
                                                 __m128i high) noexcept {
#if defined(__AVX__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_set_m128i(high, low));
#else
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), low);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), high);
#endif
}
#endif

/// Loads `word_count` words from a slot into private memory. From the slot in the pairs
/// that store_pair() stores; to memory in pairs and pairs of pairs counted from its begin,
/// as whoever reads it next will load them.
[[gnu::always_inline]] inline void load_words(std::byte* to, const std::uint64_t* from,
                                              std::size_t word_count) noexcept {
  std::size_t i = 0;
#if defined(EVRING_WIDE_WORDS)
  const auto store = [to](std::size_t word, __m128i pair) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 8 * word), pair);
  };
  const auto load = [from](std::size_t word) noexcept {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(from + word));
  };
  if (reinterpret_cast<std::uintptr_t>(from) % 16 == 0) {
    for (; i + 4 <= word_count; i += 4) store_private(to + 8 * i, load(i), load(i + 2));
    for (; i + 2 <= word_count; i += 2) store(i, load(i));
  } else if (word_count >= 3) {
    __m128i carry = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    const auto next = [&](std::size_t word) noexcept {
      const __m128i pair = load(word + 1), whole = _mm_unpacklo_epi64(carry, pair);
      carry = _mm_unpackhi_epi64(pair, pair);
      return whole;
    };
    for (; i + 5 <= word_count; i += 4) {
      const __m128i low = next(i), high = next(i + 2);
      store_private(to + 8 * i, low, high);
    }
    for (; i + 3 <= word_count; i += 2) store(i, next(i));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 8 * i), carry);
    ++i;
  }
#endif
  for (; i < word_count; ++i) {
    const std::uint64_t word = load_relaxed(from + i);
    __builtin_memcpy(to + 8 * i, &word, 8);
  }
}

}  // namespace evring
