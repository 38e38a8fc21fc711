// SPDX-License-Identifier: MIT
// What a contender looks like to the harness: a queue for one producer and some
// consumers, made once; a producer and consumers, each made and used by its thread.
// An adapter uses the interface that its library recommends for the burst at hand,
// fills through a source and checks through a sink, and never blocks in the kernel.
#pragma once

#include <bench/rig/case.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace evring::bench {

inline constexpr std::size_t kBurstMax = 256;
inline constexpr std::size_t kLineBytes = 64;

// A queue is made of the case, for its slots and consumers; its `Producer` of the queue, its
// `Consumer` of the queue and an index. `producer.offer(first, count, source)` publishes up to
// `count` (at most kBurstMax) events with the sequences from `first` on and returns how many, from
// the front; `consumer.take(count, sink)` hands up to `count` events to the sink and returns how
// many; `consumer.lost()` is the contender's own account. kPayloadBytes and kDelivery say what it
// carries and promises.

/// The payloads of a run of sequences, each made where it is read: for bulk calls that
/// take iterators, so that no array stands between source and queue.
template <class Source>
class MadeWhenRead {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using reference = decltype(std::declval<Source&>()(std::uint64_t{}));
  using value_type = std::remove_cvref_t<reference>;
  using difference_type = std::ptrdiff_t;
  using pointer = const value_type*;

  MadeWhenRead(Source& source, std::uint64_t sequence) : source_(&source), sequence_(sequence) {}

  reference operator*() const noexcept { return (*source_)(sequence_); }
  MadeWhenRead& operator++() noexcept { return *this += 1; }
  MadeWhenRead operator++(int) noexcept { return {*source_, sequence_++}; }
  MadeWhenRead& operator+=(difference_type count) noexcept {
    sequence_ += static_cast<std::uint64_t>(count);
    return *this;
  }
  difference_type operator-(const MadeWhenRead& other) const noexcept {
    return static_cast<difference_type>(sequence_ - other.sequence_);
  }
  bool operator==(const MadeWhenRead& other) const noexcept { return sequence_ == other.sequence_; }
  std::uint64_t sequence() const noexcept { return sequence_; }

 private:
  Source* source_;
  std::uint64_t sequence_;
};

// A lane is a queue of one producer: `push(first, count, source)` returns how many of the
// events from `first` on went in, `pop(count, sink)` how many came out.

/// Whether one event went in, by the call that a library has for that and that does not allocate.
template <class Queue>
bool push_one(Queue& queue, const typename Queue::value_type& event) {
  if constexpr (requires { queue.try_push(event); }) {
    return queue.try_push(event);
  } else if constexpr (requires { queue.try_enqueue(event); }) {
    return queue.try_enqueue(event);
  } else if constexpr (requires { queue.bounded_push(event); }) {
    return queue.bounded_push(event);
  } else {
    return queue.push(event);
  }
}

/// Whether one came out.
template <class Queue>
bool pop_one(Queue& queue, typename Queue::value_type& event) {
  if constexpr (requires { queue.try_pop(event); }) {
    return queue.try_pop(event);
  } else if constexpr (requires { queue.try_dequeue(event); }) {
    return queue.try_dequeue(event);
  } else {
    return queue.pop(event);
  }
}

/// The lane of a library that takes and gives one event a call; made of its slot count.
template <class Queue>
class OneByOne {
 public:
  using Payload = typename Queue::value_type;

  explicit OneByOne(std::size_t slot_count) : queue_(static_cast<unsigned>(slot_count)) {}

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) {
    std::size_t done = 0;
    while (done < count && push_one<Queue>(queue_, source(first + done))) ++done;
    return done;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    std::size_t done = 0;
    for (Payload event; done < count && pop_one<Queue>(queue_, event); ++done) sink(event);
    return done;
  }

 private:
  Queue queue_;
};

/// The lane of a library whose bulk calls take arrays: `Queue::push(events, count)` and
/// `Queue::pop(events, count)` return how many they moved.
template <class Queue>
class ByBurst {
 public:
  using Payload = typename Queue::value_type;

  explicit ByBurst(std::size_t slot_count) : queue_(slot_count) {}

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) {
    std::array<Payload, kBurstMax> events;
    for (std::size_t i = 0; i < count; ++i) events[i] = source(first + i);
    return queue_.push(events.data(), count);
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    std::array<Payload, kBurstMax> events;
    const std::size_t taken = queue_.pop(events.data(), count);
    for (std::size_t i = 0; i < taken; ++i) sink(events[i]);
    return taken;
  }

 private:
  Queue queue_;
};

/// What FanOut and SingleLane have in common: a consumer of one lane.
template <class Lane>
class LaneConsumer {
 public:
  explicit LaneConsumer(Lane& lane) : lane_(lane) {}

  template <class Sink>
  std::size_t take(std::size_t count, Sink& sink) {
    return lane_.pop(count, sink);
  }
  std::uint64_t lost() const noexcept { return 0; }

 private:
  Lane& lane_;
};

/// A lane per consumer, for libraries that hand an event to one reader only. Each lane
/// keeps its own position, so a slow consumer delays the others by no more than its queue.
template <class Lane>
class FanOut {
 public:
  static constexpr std::size_t kPayloadBytes = sizeof(typename Lane::Payload);
  static constexpr Delivery kDelivery = Delivery::kEach;

  explicit FanOut(const Case& one) {
    for (unsigned i = 0; i < one.consumer_count; ++i) {
      lanes_.push_back(std::make_unique<Lane>(one.slot_count));
    }
  }

  class Producer {
   public:
    explicit Producer(FanOut& queue) : queue_(queue), positions_(queue.lanes_.size(), 0) {}

    template <class Source>
    std::size_t offer(std::uint64_t first, std::size_t count, Source& source) {
      std::uint64_t slowest = first + count;
      for (std::size_t lane = 0; lane < positions_.size(); ++lane) {
        std::uint64_t& next = positions_[lane];
        next += queue_.lanes_[lane]->push(next, first + count - next, source);
        slowest = std::min(slowest, next);
      }
      return slowest - first;
    }

    /// One past the last sequence that some lane has: to be offered again until all do.
    std::uint64_t ahead() const { return *std::max_element(positions_.begin(), positions_.end()); }

   private:
    FanOut& queue_;
    std::vector<std::uint64_t> positions_;
  };

  struct Consumer : LaneConsumer<Lane> {
    Consumer(FanOut& queue, unsigned index) : LaneConsumer<Lane>(*queue.lanes_.at(index)) {}
  };

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
};

/// One lane: its events are shared out among any number of consumers, or all go to one.
template <class Lane, Delivery kGiven>
class SingleLane {
 public:
  static constexpr std::size_t kPayloadBytes = sizeof(typename Lane::Payload);
  static constexpr Delivery kDelivery = kGiven;

  explicit SingleLane(const Case& one) : lane_(one.slot_count) {}

  class Producer {
   public:
    explicit Producer(SingleLane& queue) : lane_(queue.lane_) {}

    template <class Source>
    std::size_t offer(std::uint64_t first, std::size_t count, Source& source) {
      return lane_.push(first, count, source);
    }

   private:
    Lane& lane_;
  };

  struct Consumer : LaneConsumer<Lane> {
    Consumer(SingleLane& queue, unsigned) : LaneConsumer<Lane>(queue.lane_) {}
  };

 private:
  Lane lane_;
};

template <class Lane>
using ShareOut = SingleLane<Lane, Delivery::kShared>;

}  // namespace evring::bench
