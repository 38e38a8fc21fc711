// SPDX-License-Identifier: MIT
// Fill and check with no queue between: what the harness itself costs. One thread.
#pragma once

#include <bench/contenders/queue.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace evring::bench {

template <std::size_t kPayload>
class NoQueue {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  static constexpr Delivery kDelivery = Delivery::kEach;

  explicit NoQueue(const Case&) {}

  class Producer {
   public:
    explicit Producer(NoQueue& queue) : queue_(queue) {}
    template <class Source>
    std::size_t offer(std::uint64_t first, std::size_t count, Source& source) noexcept {
      for (std::size_t i = 0; i < count; ++i) queue_.events_[i] = source(first + i);
      std::atomic_signal_fence(std::memory_order_seq_cst);  // the events reach memory
      queue_.count_ = count;
      queue_.taken_ = 0;
      return count;
    }

   private:
    NoQueue& queue_;
  };

  class Consumer {
   public:
    Consumer(NoQueue& queue, unsigned) : queue_(queue) {}
    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) noexcept {
      const std::size_t taken = std::min(count, queue_.count_ - queue_.taken_);
      for (std::size_t i = 0; i < taken; ++i) sink(queue_.events_[queue_.taken_ + i]);
      queue_.taken_ += taken;
      return taken;
    }
    std::uint64_t lost() const noexcept { return 0; }

   private:
    NoQueue& queue_;
  };

 private:
  std::array<Words<kPayload>, kBurstMax> events_;
  std::size_t count_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace evring::bench
