// SPDX-License-Identifier: MIT
// max0x7ba's atomic_queue for elements that are not atomic themselves: its
// single-producer single-consumer form as fan-out, its many-consumer form shared.
#pragma once

#include <bench/peers/contender.hpp>

#include <atomic_queue/atomic_queue.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace evring::peers {

template <std::size_t kPayload, bool kSingleConsumer>
class AtomicQueueLane {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  using Payload = Words<kPayload>;

  explicit AtomicQueueLane(std::size_t slot_count) : queue_(static_cast<unsigned>(slot_count)) {}

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
  atomic_queue::AtomicQueueB2<Payload, std::allocator<Payload>, true, false, kSingleConsumer>
      queue_;
};

}  // namespace evring::peers
