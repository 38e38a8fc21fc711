// SPDX-License-Identifier: MIT
// The limits: what two cores can exchange with no queue between them. Lines streamed
// through a ring, one head a batch and one cursor a quarter ring; and a round trip of
// one line that both write, or of two lines with one writer each.
#pragma once

#include <bench/measure/throughput.hpp>

#include <atomic>
#include <cstdint>

namespace evring::bench {

enum class LineStore {
  kPlain,   ///< eight 64-bit stores
  kVector,  ///< whole-line stores, as wide as this CPU has them
};

/// Streams 64-byte lines, each word checked. Needs two threads, one consumer.
/// `burst_count` is how many lines go under one head.
ThroughputResult run_bare_lines(const RunOptions& options, LineStore store);

/// Which instructions LineStore::kVector means here: "avx512", "avx2" or "plain".
const char* vector_store_name() noexcept;

/// One line that both sides write: even values are the caller's turn.
struct alignas(128) SharedLine {
  std::atomic<std::uint64_t> word{0};
};

/// Round trip over one line: side 0 stores odd, side 1 stores even.
inline void bare_one_line_ask(SharedLine& line, std::uint64_t round) noexcept {
  line.word.store(2 * round + 1, std::memory_order_release);
  while (line.word.load(std::memory_order_acquire) != 2 * round + 2) {
  }
}
inline void bare_one_line_answer(SharedLine& line, std::uint64_t round) noexcept {
  while (line.word.load(std::memory_order_acquire) != 2 * round + 1) {
  }
  line.word.store(2 * round + 2, std::memory_order_release);
}

/// Round trip over two lines, one writer each.
inline void bare_two_line_ask(SharedLine& there, SharedLine& back, std::uint64_t round) noexcept {
  there.word.store(round + 1, std::memory_order_release);
  while (back.word.load(std::memory_order_acquire) != round + 1) {
  }
}
inline void bare_two_line_answer(SharedLine& there, SharedLine& back,
                                 std::uint64_t round) noexcept {
  while (there.word.load(std::memory_order_acquire) != round + 1) {
  }
  back.word.store(round + 1, std::memory_order_release);
}

}  // namespace evring::bench
