// SPDX-License-Identifier: MIT
// oneTBB's concurrent_queue (unbounded; kept to the ring's size by a count outside)
// and concurrent_bounded_queue, both shared.
#pragma once

#include <bench/peers/contender.hpp>

#include <oneapi/tbb/concurrent_queue.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace evring::peers {

template <std::size_t kPayload>
class TbbBoundedQueue {
 public:
  using Payload = Words<kPayload>;

  explicit TbbBoundedQueue(std::size_t slot_count) {
    queue_.set_capacity(static_cast<std::ptrdiff_t>(slot_count));
  }

  bool push(const Payload& event) { return queue_.try_push(event); }
  bool pop(Payload& event) { return queue_.try_pop(event); }

 private:
  tbb::concurrent_bounded_queue<Payload> queue_;
};

template <std::size_t kPayload>
class TbbLane {
 public:
  using Payload = Words<kPayload>;

  explicit TbbLane(std::size_t slot_count) : slot_count_(slot_count) {}

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) {
    if (pushed_ + count - popped_seen_ > slot_count_) {
      popped_seen_ = popped_.load(std::memory_order_acquire);
      if (pushed_ + count - popped_seen_ > slot_count_) return 0;
    }
    for (std::size_t i = 0; i < count; ++i) queue_.push(source(first + i));
    pushed_ += count;
    return count;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    std::size_t done = 0;
    for (Payload event; done < count && queue_.try_pop(event); ++done) sink(event);
    if (done != 0) popped_.fetch_add(done, std::memory_order_release);
    return done;
  }

 private:
  tbb::concurrent_queue<Payload> queue_;
  const std::size_t slot_count_;
  std::uint64_t pushed_ = 0;       // the producer's
  std::uint64_t popped_seen_ = 0;  // the producer's
  alignas(2 * kLineBytes) std::atomic<std::uint64_t> popped_{0};
};

}  // namespace evring::peers
