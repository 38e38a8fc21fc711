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
using Lane = OneByOne<atomic_queue::AtomicQueueB2<Words<kPayload>, std::allocator<Words<kPayload>>,
                                                  true, false, kSingleConsumer>>;
template <std::size_t kPayload>
using AtomicSpsc = FanOut<Lane<kPayload, true>>;
template <std::size_t kPayload>
using AtomicShared = ShareOut<Lane<kPayload, false>>;

}  // namespace

void add_atomic_queue(Registry& registry) {
  add<AtomicSpsc>(registry, "atomic-queue-spsc",
                  "atomic_queue AtomicQueueB2 SPSC, one per consumer", Origin::kPackaged);
  add<AtomicShared>(registry, "atomic-queue", "atomic_queue AtomicQueueB2", Origin::kPackaged);
}

}  // namespace evring::bench
