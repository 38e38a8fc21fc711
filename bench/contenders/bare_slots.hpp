// SPDX-License-Identifier: MIT
// Stamped lines with nothing around them: no head, no gate, no loss account, no status.
// What a payload in one line costs at least, for latency and for one thread. A consumer
// that is lapped finds wrong payloads, so it serves no throughput run.
#pragma once

#include <bench/contenders/queue.hpp>
#include <evring/memory.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace evring::bench {

template <std::size_t kPayload>
class BareSlots {
  struct alignas(kLineBytes) Line {
    std::atomic<std::uint64_t> stamp{0};
    std::array<std::uint64_t, kPayload / 8> words{};
  };

 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  static constexpr Delivery kDelivery = Delivery::kEach;
  static_assert(kPayload <= kLineBytes - 8);

  explicit BareSlots(const Case& one) : lines_(one.slot_count), mask_(one.slot_count - 1) {}

  class Producer {
   public:
    explicit Producer(BareSlots& queue) : lines_(queue.lines_.data()), mask_(queue.mask_) {}

    template <class Source>
    std::size_t offer(std::uint64_t first, std::size_t count, Source& source) noexcept {
      for (std::uint64_t sequence = first; sequence != first + count; ++sequence) {
        prefetch_for_write(&lines_[(sequence + kPrefetchLines) & mask_]);
        Line& line = lines_[sequence & mask_];
        const Words<kPayload> words = source(sequence);
        for_each_word([&](std::size_t i) { store_relaxed(&line.words[i], words[i]); });
        line.stamp.store(sequence + 1, std::memory_order_release);
      }
      return count;
    }

   private:
    static constexpr std::uint64_t kPrefetchLines = 8;
    Line* lines_;
    std::uint64_t mask_;
  };

  class Consumer {
   public:
    Consumer(BareSlots& queue, unsigned) : lines_(queue.lines_.data()), mask_(queue.mask_) {}

    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) noexcept {
      const std::uint64_t first = next_;
      for (; next_ != first + count; ++next_) {
        const Line& line = lines_[next_ & mask_];
        const std::uint64_t stamp = line.stamp.load(std::memory_order_acquire);
        if (static_cast<std::int64_t>(stamp - (next_ + 1)) < 0) break;
        Words<kPayload> words;
        for_each_word([&](std::size_t i) { words[i] = load_relaxed(&line.words[i]); });
        sink(words);
      }
      return next_ - first;
    }
    std::uint64_t lost() const noexcept { return 0; }

   private:
    Line* lines_;
    std::uint64_t mask_;
    std::uint64_t next_ = 0;
  };

 private:
  template <class Each>
  static void for_each_word(Each&& each) noexcept {
    [&each]<std::size_t... kIndex>(std::index_sequence<kIndex...>) { (each(kIndex), ...); }
    (std::make_index_sequence<kPayload / 8>{});
  }

  std::vector<Line> lines_;
  std::uint64_t mask_;
};

}  // namespace evring::bench
