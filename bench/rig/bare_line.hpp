// SPDX-License-Identifier: MIT
// What two cores can exchange with no queue between them: a round trip of one line that both
// write, or of two lines with one writer each; and by how much their counters differ.
#pragma once

#include <bench/rig/clock.hpp>

#include <atomic>
#include <cstdint>

namespace evring::bench {

struct alignas(128) SharedLine {
  std::atomic<std::uint64_t> word{0};

  void await(std::uint64_t value) const noexcept {
    while (word.load(std::memory_order_acquire) != value) {
    }
  }
};

/// One line: side 0 stores odd values, side 1 even ones.
struct OneLine {
  SharedLine line;
  void ask(std::uint64_t round) noexcept {
    line.word.store(2 * round + 1, std::memory_order_release);
    line.await(2 * round + 2);
  }
  void answer(std::uint64_t round) noexcept {
    line.await(2 * round + 1);
    line.word.store(2 * round + 2, std::memory_order_release);
  }
};

struct TwoLines {
  SharedLine there;
  SharedLine back;
  void ask(std::uint64_t round) noexcept {
    there.word.store(round + 1, std::memory_order_release);
    back.await(round + 1);
  }
  void answer(std::uint64_t round) noexcept {
    there.await(round + 1);
    back.word.store(round + 1, std::memory_order_release);
  }
};

/// Ticks by which side 1's counter is ahead of side 0's, from the fastest of many
/// exchanges. Both sides call it at once.
class OffsetProbe {
 public:
  void ask() noexcept {
    std::uint64_t fastest = ~std::uint64_t{0};
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      const std::uint64_t begin = ticks_now();
      lines_.ask(round);
      const std::uint64_t end = ticks_now();
      if (end - begin >= fastest) continue;
      fastest = end - begin;
      const std::uint64_t remote = remote_.word.load(std::memory_order_relaxed);
      offset_ = static_cast<std::int64_t>(remote - (begin + (end - begin) / 2));
    }
  }
  void answer() noexcept {
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      lines_.there.await(round + 1);
      remote_.word.store(ticks_now(), std::memory_order_relaxed);
      lines_.back.word.store(round + 1, std::memory_order_release);
    }
  }
  std::int64_t offset_ticks() const noexcept { return offset_; }

 private:
  static constexpr std::uint64_t kRounds = 2000;
  TwoLines lines_;
  SharedLine remote_;
  std::int64_t offset_ = 0;
};

}  // namespace evring::bench
