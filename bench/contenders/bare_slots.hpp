// SPDX-License-Identifier: MIT
// What is no queue: stamped lines with nothing around them (no head, no gate, no loss account, no
// status), which is what a payload in one line costs at least; and nothing between fill and check,
// which is what the harness itself costs.
#pragma once

#include <bench/contenders/queue.hpp>
#include <evring/memory.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace evring::bench {

/// A consumer that is lapped finds wrong payloads, so it serves no throughput run.
template <std::size_t kPayload>
class BareSlotsLane {
 public:
  using Payload = Words<kPayload>;
  static_assert(kPayload <= kLineBytes - 8);

  explicit BareSlotsLane(std::size_t slot_count) : lines_(slot_count), mask_(slot_count - 1) {}

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) noexcept {
    for (std::uint64_t sequence = first; sequence != first + count; ++sequence) {
      prefetch_for_write(&lines_[(sequence + kPrefetchLines) & mask_]);
      Line& line = lines_[sequence & mask_];
      const Payload words = source(sequence);
      for_each_word([&](std::size_t i) { store_relaxed(&line.words[i], words[i]); });
      line.stamp.store(sequence + 1, std::memory_order_release);
    }
    return count;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) noexcept {
    const std::uint64_t first = next_;
    for (; next_ != first + count; ++next_) {
      const Line& line = lines_[next_ & mask_];
      const std::uint64_t stamp = line.stamp.load(std::memory_order_acquire);
      if (static_cast<std::int64_t>(stamp - (next_ + 1)) < 0) break;
      Payload words;
      for_each_word([&](std::size_t i) { words[i] = load_relaxed(&line.words[i]); });
      sink(words);
    }
    return next_ - first;
  }

 private:
  static constexpr std::uint64_t kPrefetchLines = 8;
  struct alignas(kLineBytes) Line {
    std::atomic<std::uint64_t> stamp{0};
    Payload words{};
  };

  template <class Each>
  static void for_each_word(Each&& each) noexcept {
    [&each]<std::size_t... kIndex>(std::index_sequence<kIndex...>) { (each(kIndex), ...); }
    (std::make_index_sequence<kPayload / 8>{});
  }

  std::vector<Line> lines_;
  const std::uint64_t mask_;
  alignas(2 * kLineBytes) std::uint64_t next_ = 0;  // the consumer's
};

template <std::size_t kPayload>
using BareSlots = SingleLane<BareSlotsLane<kPayload>, Delivery::kEach>;

template <std::size_t kPayload>
class NoQueueLane {
 public:
  using Payload = Words<kPayload>;

  explicit NoQueueLane(std::size_t) {}

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) noexcept {
    for (std::size_t i = 0; i < count; ++i) events_[i] = source(first + i);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the events reach memory
    count_ = count;
    taken_ = 0;
    return count;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) noexcept {
    const std::size_t taken = std::min(count, count_ - taken_);
    for (std::size_t i = 0; i < taken; ++i) sink(events_[taken_ + i]);
    taken_ += taken;
    return taken;
  }

 private:
  std::array<Payload, kBurstMax> events_;
  std::size_t count_ = 0;
  std::size_t taken_ = 0;
};

template <std::size_t kPayload>
using NoQueue = SingleLane<NoQueueLane<kPayload>, Delivery::kEach>;

}  // namespace evring::bench
