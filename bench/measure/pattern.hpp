// SPDX-License-Identifier: MIT
// What every contender carries: a payload derived from its sequence, and the sink
// that checks it at the other end. One addition a word and no loop, so that the check
// costs the same for all and hides nobody's cost.
// Invariant: word 0 is the sequence; word i follows from words 0 and 1 alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace evring::bench {

template <std::size_t kPayloadBytes>
using Words = std::array<std::uint64_t, kPayloadBytes / 8>;

inline constexpr std::uint64_t kPatternStep = 0x9e3779b97f4a7c15;

/// The payload of event `sequence`.
template <std::size_t kPayloadBytes>
struct PatternSource {
  Words<kPayloadBytes> operator()(std::uint64_t sequence) const noexcept {
    return [sequence]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return Words<kPayloadBytes>{sequence + kIndex * kPatternStep...};
    }
    (std::make_index_sequence<kPayloadBytes / 8>{});
  }
};

/// How a contender hands events to its consumers.
enum class Delivery {
  kEach,    ///< every consumer gets every event, in order
  kLossy,   ///< as kEach, but a lapped consumer loses some and says how many
  kShared,  ///< every event goes to one consumer
};

/// What one consumer found. `sum` and `square_sum` are over the sequences, mod 2^64:
/// together with the count they show a duplicate or a hole in shared delivery.
struct Tally {
  std::uint64_t received = 0;
  std::uint64_t torn = 0;          ///< payload words that do not belong together
  std::uint64_t out_of_order = 0;  ///< whole, but not the event that was due
  std::uint64_t skipped = 0;       ///< sequences jumped over
  std::uint64_t sum = 0;
  std::uint64_t square_sum = 0;
  std::uint64_t next = 0;  ///< one past the last sequence seen
};

/// Checks each payload of one consumer against the delivery that was promised.
template <std::size_t kPayloadBytes, Delivery kDelivery>
class PatternSink {
 public:
  void operator()(const Words<kPayloadBytes>& words) noexcept {
    const std::uint64_t due = kDelivery == Delivery::kEach ? tally_.next : words[0];
    const std::uint64_t difference = [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return ((words[kIndex] ^ (due + kIndex * kPatternStep)) | ...);
    }
    (std::make_index_sequence<kPayloadBytes / 8>{});
    ++tally_.received;
    if (difference != 0) [[unlikely]] {
      explain(words);
      return;
    }
    if constexpr (kDelivery != Delivery::kEach) follow(words[0]);
    tally_.next = due + 1;
  }

  const Tally& tally() const noexcept { return tally_; }

 private:
  /// A whole payload that is not due is a hole or a duplicate; any other is torn.
  [[gnu::noinline]] void explain(const Words<kPayloadBytes>& words) noexcept {
    if (words != PatternSource<kPayloadBytes>{}(words[0])) {
      ++tally_.torn;
      ++tally_.next;
      return;
    }
    ++tally_.out_of_order;
    tally_.next = words[0] + 1;
  }

  void follow(std::uint64_t sequence) noexcept {
    if (sequence < tally_.next) [[unlikely]]
      ++tally_.out_of_order;
    if constexpr (kDelivery == Delivery::kLossy) tally_.skipped += sequence - tally_.next;
    if constexpr (kDelivery == Delivery::kShared) {
      tally_.sum += sequence;
      tally_.square_sum += sequence * sequence;
    }
  }

  Tally tally_;
};

/// What the tallies of all consumers come to, for `published` events.
struct Verdict {
  bool exact = false;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
  std::uint64_t out_of_order = 0;
};

}  // namespace evring::bench
