// SPDX-License-Identifier: MIT
// max0x7ba's atomic_queue for elements that are not atomic themselves: its single-producer
// single-consumer form as fan-out, its many-consumer form shared.
#include <bench/contenders/queue.hpp>
#include <bench/contenders/registry.hpp>

#include <atomic_queue/atomic_queue.h>

#include <memory>

namespace evring::bench {
namespace {

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

template <std::size_t kPayload>
using AtomicSpsc = FanOut<OneByOne<AtomicQueue<kPayload, true>>>;
template <std::size_t kPayload>
using AtomicShared = ShareOut<OneByOne<AtomicQueue<kPayload, false>>>;

}  // namespace

void add_atomic_queue(Registry& registry) {
  add<AtomicSpsc>(registry, "atomic-queue-spsc",
                  "atomic_queue AtomicQueueB2 SPSC, one per consumer", Origin::kPackaged);
  add<AtomicShared>(registry, "atomic-queue", "atomic_queue AtomicQueueB2", Origin::kPackaged);
}

}  // namespace evring::bench
