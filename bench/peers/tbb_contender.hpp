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
class TbbBoundedLane {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  using Payload = Words<kPayload>;

  explicit TbbBoundedLane(std::size_t slot_count) {
    queue_.set_capacity(static_cast<std::ptrdiff_t>(slot_count));
  }

  std::size_t push(const Payload* events, std::size_t count) {
    std::size_t done = 0;
    while (done < count && queue_.try_push(events[done])) ++done;
    return done;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    std::size_t done = 0;
    for (Payload event; done < count && queue_.try_pop(event); ++done) sink(event);
    return done;
  }

 private:
  tbb::concurrent_bounded_queue<Payload> queue_;
};

template <std::size_t kPayload>
class TbbLane {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  using Payload = Words<kPayload>;

  explicit TbbLane(std::size_t slot_count) : slot_count_(slot_count) {}

  std::size_t push(const Payload* events, std::size_t count) {
    if (pushed_ + count - popped_seen_ > slot_count_) {
      popped_seen_ = popped_.load(std::memory_order_acquire);
      if (pushed_ + count - popped_seen_ > slot_count_) return 0;
    }
    for (std::size_t i = 0; i < count; ++i) queue_.push(events[i]);
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
