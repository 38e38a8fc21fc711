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

/// Its multiples are immediate operands: a constant of 64 bits takes a register, which one
/// contender has left and another has not.
inline constexpr std::uint64_t kPatternStep = 0x0e3779b1;

constexpr std::uint64_t pattern_word(std::uint64_t sequence, std::size_t index) noexcept {
  return sequence + index * kPatternStep;
}

/// The payload of event `sequence`.
template <std::size_t kPayloadBytes>
struct PatternSource {
  Words<kPayloadBytes> operator()(std::uint64_t sequence) const noexcept {
    return [sequence]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return Words<kPayloadBytes>{pattern_word(sequence, kIndex)...};
    }
    (std::make_index_sequence<kPayloadBytes / 8>{});
  }
};

/// The same as most programs have it: made in memory by another function, and then handed over.
template <std::size_t kPayloadBytes>
class MemorySource {
 public:
  const Words<kPayloadBytes>& operator()(std::uint64_t sequence) noexcept {
    fill(words_, sequence);
    return words_;
  }

 private:
  [[gnu::noinline]] static void fill(Words<kPayloadBytes>& words, std::uint64_t sequence) noexcept {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = pattern_word(sequence, i);
  }
  Words<kPayloadBytes> words_;
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
  /// What one payload was found to be.
  struct Finding {
    std::uint64_t sequence;    ///< as its word 0 says
    std::uint64_t difference;  ///< from the event that was due, over all words
  };

  void operator()(const Words<kPayloadBytes>& words) noexcept {
    count(examine([&words](std::size_t index) noexcept { return words[index]; }));
  }

  /// Looks at the payload whose words `word(index)` returns, and counts nothing yet.
  template <class Word>
  [[gnu::always_inline]] Finding examine(Word&& word) const noexcept {
    return [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      const std::uint64_t sequence = word(0);
      const std::uint64_t due = due_after(sequence);
      const std::uint64_t first = sequence ^ due;
      return Finding{sequence, (first | ... | (word(kIndex + 1) ^ pattern_word(due, kIndex + 1)))};
    }
    (std::make_index_sequence<kPayloadBytes / 8 - 1>{});
  }

  [[gnu::always_inline]] void count(Finding found) noexcept {
    ++tally_.received;
    if (found.difference != 0) [[unlikely]] {
      explain(found.sequence, found.difference);
      return;
    }
    if constexpr (kDelivery != Delivery::kEach) follow(found.sequence);
    tally_.next = found.sequence + 1;
  }

  const Tally& tally() const noexcept { return tally_; }

 private:
  std::uint64_t due_after(std::uint64_t sequence) const noexcept {
    return kDelivery == Delivery::kEach ? tally_.next : sequence;
  }

  /// A whole payload that is not due is a hole or a duplicate, and differs as it must; any
  /// other is torn.
  [[gnu::noinline, gnu::cold]] void explain(std::uint64_t sequence,
                                            std::uint64_t difference) noexcept {
    const std::uint64_t due = due_after(sequence);
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < kPayloadBytes / 8; ++i) {
      expected |= pattern_word(sequence, i) ^ pattern_word(due, i);
    }
    if (difference != expected) {
      ++tally_.torn;
      ++tally_.next;
      return;
    }
    ++tally_.out_of_order;
    tally_.next = sequence + 1;
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

}  // namespace evring::bench
