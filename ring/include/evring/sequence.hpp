// SPDX-License-Identifier: MIT
// The number of an event, and which of two is later. Sequences wrap at 2^64, and so do
// the claims, limits and cursors that are compared with them: the sign of the 64-bit
// difference says who is ahead. It stands here and nowhere else; a test keeps it so.
#pragma once

#include <cstdint>

namespace evring {

/// A sequence, or a bound between two of them. Made from its number without a word, so
/// that shared words are compared as they are loaded.
class Sequence {
 public:
  constexpr Sequence(std::uint64_t number) noexcept : number_(number) {}  // NOLINT: a number is one

  constexpr std::uint64_t number() const noexcept { return number_; }

  /// Events from `other` to this one; negative when `other` is the later one.
  constexpr std::int64_t distance_from(Sequence other) const noexcept {
    return static_cast<std::int64_t>(number_ - other.number_);
  }
  constexpr bool is_after(Sequence other) const noexcept { return distance_from(other) > 0; }
  constexpr bool is_before(Sequence other) const noexcept { return distance_from(other) < 0; }

  /// Events from `other` to this one; 0 when this one is not later.
  constexpr std::uint64_t count_from(Sequence other) const noexcept {
    return is_after(other) ? number_ - other.number_ : 0;
  }

 private:
  std::uint64_t number_;
};

constexpr std::uint64_t later(Sequence a, Sequence b) noexcept {
  return b.is_after(a) ? b.number() : a.number();
}
constexpr std::uint64_t earlier(Sequence a, Sequence b) noexcept {
  return b.is_before(a) ? b.number() : a.number();
}

/// The oldest event that a ring of `slot_count` slots can still hold.
///
/// @param first    the sequence of the first event ever.
/// @param written  sequences before this may have been stored.
/// @param head     sequences before this are published.
/// @return at least `first` and at most `head`.
constexpr std::uint64_t oldest_sequence(Sequence first, Sequence written, Sequence head,
                                        std::uint64_t slot_count) noexcept {
  const std::uint64_t end = later(written, head);
  const std::uint64_t held = end - first.number();
  return earlier(held > slot_count ? end - slot_count : first.number(), head);
}

/// How far behind the oldest event a reader resumes that was overrun `overruns_in_a_row`
/// times with no event between: nothing at first, at last half of the ring.
constexpr std::uint64_t resync_margin(std::uint64_t slot_count,
                                      unsigned overruns_in_a_row) noexcept {
  if (overruns_in_a_row == 0) return 0;
  return slot_count >> (overruns_in_a_row >= 5 ? 1 : 6 - overruns_in_a_row);
}

}  // namespace evring
