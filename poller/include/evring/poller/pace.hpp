// SPDX-License-Identifier: MIT
// Evenly spaced moments: whoever does something `rate_hz` times a second asks when the
// next time is due, and waits for it in a way of his own. One thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace evring {

/// The n-th moment is n / rate after the first, to the nanosecond, however late the
/// caller was for those before: who was late is due at once until he has caught up.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  /// @param rate_hz  0: every moment is due at once.
  explicit Pace(std::uint64_t rate_hz, Clock::time_point begin = Clock::now()) noexcept
      : rate_hz_(rate_hz), begin_(begin) {}

  /// When to do it next; the first time at once.
  Clock::time_point next() noexcept {
    if (rate_hz_ == 0) return begin_;
    const std::chrono::seconds whole(count_ / rate_hz_);
    const std::chrono::nanoseconds part(count_ % rate_hz_ * kNsPerS / rate_hz_);
    ++count_;
    return begin_ + whole + part;
  }

 private:
  static constexpr std::uint64_t kNsPerS = 1'000'000'000;  // times a rate, up to 18 GHz, fits
  std::uint64_t rate_hz_;
  Clock::time_point begin_;
  std::uint64_t count_ = 0;
};

}  // namespace evring
