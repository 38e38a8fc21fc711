// SPDX-License-Identifier: MIT
// The payload of a stress event, and the consumer's check of a stream of them.
//   word 0  producer    word 1  its count, from 0 without holes
//   word 2  checksum    word 3… filling, a function of the count
// A ring of another seed or number has another key: its events never check.
#pragma once

#include <evring/abi.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stress/report.hpp"

namespace evring::stress {

constexpr std::size_t kStressWordsMin = 3;
constexpr std::size_t kStressWordsMax = EVRING_SLOT_BYTES_MAX / 8;

/// A bijection that spreads every bit.
/// Source: finalizer of G. Steele et al., "Fast splittable pseudorandom number
/// generators", OOPSLA 2014.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Pseudorandom numbers from a seed: the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  /// From 0 to bound - 1.
  std::uint64_t below(std::uint64_t bound) noexcept { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t state_;
};

constexpr std::uint64_t ring_key(std::uint64_t seed, std::size_t ring) noexcept {
  return mix(seed ^ mix(ring + 1));
}

/// Checksum over all words but word 2; a changed word or two swapped ones change it.
inline std::uint64_t checksum(std::span<const std::uint64_t> words, std::uint64_t key) noexcept {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  std::uint64_t sum = key + words[0] * kOdd + words[1] * (3 * kOdd);
  std::uint64_t factor = 5 * kOdd;
  for (std::size_t i = 3; i < words.size(); ++i, factor += 2 * kOdd) sum += words[i] * factor;
  return mix(sum);
}

inline void fill_payload(std::span<std::uint64_t> words, std::uint64_t key, std::uint64_t producer,
                         std::uint64_t count) noexcept {
  words[0] = producer;
  words[1] = count;
  for (std::size_t i = 3; i < words.size(); ++i) words[i] = (count + i) ^ key;
  words[2] = checksum(words, key);
}

/// Checks the events that one consumer of one ring receives. One thread.
class StreamCheck {
 public:
  /// @param from_first  the consumer starts at the first event ever.
  StreamCheck(std::uint64_t key, std::size_t producer_count, bool from_first)
      : key_(key), next_(producer_count), from_first_(from_first) {
    for (Next& next : next_) next.known = from_first;
  }

  /// Events were lost between the one before and the next one.
  void note_loss() noexcept { ++loss_epoch_; }

  void check(std::span<const std::uint64_t> words) noexcept {
    if (words[2] != checksum(words, key_) || words[0] >= next_.size()) {
      ++corrupt_;
      note_loss();  // whose count this was is not known
      return;
    }
    Next& next = next_[words[0]];
    const std::uint64_t count = words[1];
    const std::int64_t ahead = Sequence(count).distance_from(next.count);
    const bool may_skip = next.epoch != loss_epoch_;
    if (next.known && (ahead < 0 || (ahead > 0 && !may_skip))) ++out_of_order_;
    if (next.known) missing_ += Sequence(count).count_from(next.count);
    next = {count + 1, loss_epoch_, true};
  }

  /// How many events the stream lacked, from the producers' own counts; nothing
  /// when the consumer did not start at the first event.
  std::optional<std::uint64_t> missing(std::span<const ProducerTally> producers) const noexcept {
    if (!from_first_) return std::nullopt;
    std::uint64_t sum = missing_;
    for (std::size_t i = 0; i < next_.size(); ++i) sum += producers[i].published - next_[i].count;
    return sum;
  }

  std::uint64_t corrupt() const noexcept { return corrupt_; }
  std::uint64_t out_of_order() const noexcept { return out_of_order_; }

 private:
  struct Next {
    std::uint64_t count = 0;
    std::uint64_t epoch = 0;
    bool known = false;
  };

  std::uint64_t key_;
  std::vector<Next> next_;
  bool from_first_;
  std::uint64_t loss_epoch_ = 0;
  std::uint64_t corrupt_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::uint64_t missing_ = 0;
};

}  // namespace evring::stress
