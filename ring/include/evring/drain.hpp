// SPDX-License-Identifier: MIT
// Which of two ways to know what is published a reader takes.
//
// A stamp says it first, in the line that is wanted anyway. But who looks at the stamps of
// a producer at full speed, or asks for lines behind them, takes lines from it that it is
// about to write. So after a full burst a reader drains to head: head says it once a batch,
// and nothing behind it is touched. Small batches end that soon, for there each event costs
// a look at head; and head found unchanged for a while.
#pragma once

#include <algorithm>
#include <cstddef>

namespace evring {

/// Whether its reader drains to head; it begins with stamps. One thread.
class Drain {
 public:
  bool is_on() const noexcept { return looks_left_ != 0; }

  /// After a read of `count` events.
  void note_read(std::size_t count) noexcept {
    if (count >= kFullBurst) {
      ++full_bursts_;
      if (is_on() || full_bursts_ >= full_bursts_to_begin_) looks_left_ = kLooks;
    } else if (is_on()) {
      looks_left_ /= 2;
      if (!is_on()) end_early();
    }
  }
  /// After a look at head that found nothing new.
  void note_nothing() noexcept {
    if (is_on() && --looks_left_ == 0) full_bursts_ = 0;
  }

 private:
  static constexpr std::size_t kFullBurst = 16;
  static constexpr unsigned kLooks = 64;
  static constexpr unsigned kWorthIt = 32;
  static constexpr unsigned kFullBurstsMax = 4096;

  /// Batches are small: the longer until it is tried again, unless it had been worth it.
  void end_early() noexcept {
    const bool was_worth_it = full_bursts_ >= full_bursts_to_begin_ + kWorthIt;
    full_bursts_to_begin_ = was_worth_it ? 1 : std::min(2 * full_bursts_to_begin_, kFullBurstsMax);
    full_bursts_ = 0;
  }

  unsigned looks_left_ = 0;
  unsigned full_bursts_ = 0;  ///< since it ended last
  unsigned full_bursts_to_begin_ = 1;
};

}  // namespace evring
