// SPDX-License-Identifier: MIT
// Boost.Lockfree as contenders: spsc_queue, one per consumer, and queue, shared.
// Bounded, so that neither allocates while it is measured.
#pragma once

#include <bench/peers/contender.hpp>

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace evring::peers {

/// boost::lockfree::spsc_queue, one per consumer.
template <std::size_t kPayload>
class BoostSpscLane {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  using Payload = Words<kPayload>;

  explicit BoostSpscLane(std::size_t slot_count) : queue_(slot_count) {}

  std::size_t push(const Payload* events, std::size_t count) {
    if (count == 1) return queue_.push(*events) ? 1 : 0;
    return queue_.push(events, count);
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    if (count == 1) return queue_.consume_one([&sink](const Payload& event) { sink(event); });
    std::array<Payload, kBurstMax> events;
    const std::size_t taken = queue_.pop(events.data(), count);
    for (std::size_t i = 0; i < taken; ++i) sink(events[i]);
    return taken;
  }

 private:
  boost::lockfree::spsc_queue<Payload> queue_;
};

/// boost::lockfree::queue: one event at a time, whatever the burst.
template <std::size_t kPayload>
class BoostQueueLane {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  using Payload = Words<kPayload>;

  explicit BoostQueueLane(std::size_t slot_count) : queue_(slot_count) {}

  std::size_t push(const Payload* events, std::size_t count) {
    std::size_t done = 0;
    while (done < count && queue_.bounded_push(events[done])) ++done;
    return done;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    std::size_t done = 0;
    for (Payload event; done < count && queue_.pop(event); ++done) sink(event);
    return done;
  }

 private:
  boost::lockfree::queue<Payload> queue_;
};

}  // namespace evring::peers
