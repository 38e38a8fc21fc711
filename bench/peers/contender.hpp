// SPDX-License-Identifier: MIT
// What a contender looks like to the harness: a queue for one producer and some
// consumers, made once; a producer and consumers, each made and used by its thread.
// An adapter uses the interface that its library recommends for the burst at hand,
// fills through a source and checks through a sink, and never blocks in the kernel.
#pragma once

#include <bench/measure/pattern.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace evring::peers {

using bench::Delivery;
using bench::PatternSink;
using bench::PatternSource;
using bench::Words;

inline constexpr std::size_t kBurstMax = 256;
inline constexpr std::size_t kLineBytes = 64;

struct QueueOptions {
  std::size_t slot_count = 4096;  ///< a power of two
  unsigned consumer_count = 1;
};

/// `Queue::Producer::offer(first, count, source)` publishes up to `count` (at most
/// kBurstMax) events with the sequences from `first` on and returns how many, from
/// the front. `Queue::Consumer::take(count, sink)` hands up to `count` events to the
/// sink and returns how many. `Consumer::lost()` is the contender's own account.
template <class Queue>
concept Contender = requires(Queue& queue, typename Queue::Producer& producer,
                             typename Queue::Consumer& consumer,
                             PatternSource<Queue::kPayloadBytes>& source,
                             PatternSink<Queue::kPayloadBytes, Queue::kDelivery>& sink) {
  requires std::constructible_from<Queue, const QueueOptions&>;
  requires std::constructible_from<typename Queue::Producer, Queue&>;
  requires std::constructible_from<typename Queue::Consumer, Queue&, unsigned>;
  { producer.offer(std::uint64_t{}, std::size_t{}, source) } -> std::same_as<std::size_t>;
  { consumer.take(std::size_t{}, sink) } -> std::same_as<std::size_t>;
  { consumer.lost() } -> std::same_as<std::uint64_t>;
};

/// One queue per consumer, for libraries that hand an event to one reader only.
///
/// `Lane` is a single-consumer queue: `push(const Payload*, count)` returns how many
/// went in, `pop(count, sink)` how many came out. Each lane keeps its own position, so
/// a slow consumer delays the others by no more than its queue.
template <class Lane>
class FanOut {
 public:
  static constexpr std::size_t kPayloadBytes = Lane::kPayloadBytes;
  static constexpr Delivery kDelivery = Delivery::kEach;

  explicit FanOut(const QueueOptions& options) {
    for (unsigned i = 0; i < options.consumer_count; ++i) {
      lanes_.push_back(std::make_unique<Lane>(options.slot_count));
    }
  }

  class Producer {
   public:
    explicit Producer(FanOut& queue) : queue_(queue), positions_(queue.lanes_.size(), 0) {}

    template <class Source>
    std::size_t offer(std::uint64_t first, std::size_t count, Source& source) {
      std::array<Words<kPayloadBytes>, kBurstMax> events;
      for (std::size_t i = 0; i < count; ++i) events[i] = source(first + i);
      std::uint64_t slowest = first + count;
      for (std::size_t lane = 0; lane < positions_.size(); ++lane) {
        const std::size_t done = positions_[lane] - first;
        positions_[lane] += queue_.lanes_[lane]->push(events.data() + done, count - done);
        slowest = std::min(slowest, positions_[lane]);
      }
      return slowest - first;
    }

    /// One past the last sequence that some lane has: to be offered again until all do.
    std::uint64_t ahead() const { return *std::max_element(positions_.begin(), positions_.end()); }

   private:
    FanOut& queue_;
    std::vector<std::uint64_t> positions_;
  };

  class Consumer {
   public:
    Consumer(FanOut& queue, unsigned index) : lane_(*queue.lanes_.at(index)) {}

    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) {
      return lane_.pop(count, sink);
    }
    std::uint64_t lost() const noexcept { return 0; }

   private:
    Lane& lane_;
  };

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
};

/// A queue whose events are shared out: one lane, any number of consumers.
template <class Lane>
class ShareOut {
 public:
  static constexpr std::size_t kPayloadBytes = Lane::kPayloadBytes;
  static constexpr Delivery kDelivery = Delivery::kShared;

  explicit ShareOut(const QueueOptions& options) : lane_(options.slot_count) {}

  class Producer {
   public:
    explicit Producer(ShareOut& queue) : lane_(queue.lane_) {}

    template <class Source>
    std::size_t offer(std::uint64_t first, std::size_t count, Source& source) {
      std::array<Words<kPayloadBytes>, kBurstMax> events;
      for (std::size_t i = 0; i < count; ++i) events[i] = source(first + i);
      return lane_.push(events.data(), count);
    }

   private:
    Lane& lane_;
  };

  class Consumer {
   public:
    Consumer(ShareOut& queue, unsigned) : lane_(queue.lane_) {}

    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) {
      return lane_.pop(count, sink);
    }
    std::uint64_t lost() const noexcept { return 0; }

   private:
    Lane& lane_;
  };

 private:
  Lane lane_;
};

}  // namespace evring::peers
