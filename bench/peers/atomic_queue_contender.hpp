// SPDX-License-Identifier: MIT
// max0x7ba's atomic_queue for elements that are not atomic themselves: its
// single-producer single-consumer form as fan-out, its many-consumer form shared.
#pragma once

#include <bench/peers/contender.hpp>

#include <atomic_queue/atomic_queue.h>

#include <cstddef>
#include <memory>

namespace evring::peers {

template <std::size_t kPayload, bool kSingleConsumer>
class AtomicQueue {
 public:
  using Payload = Words<kPayload>;

  explicit AtomicQueue(std::size_t slot_count) : queue_(static_cast<unsigned>(slot_count)) {}

  bool push(const Payload& event) { return queue_.try_push(event); }
  bool pop(Payload& event) { return queue_.try_pop(event); }

 private:
  atomic_queue::AtomicQueueB2<Payload, std::allocator<Payload>, true, false, kSingleConsumer>
      queue_;
};

}  // namespace evring::peers
