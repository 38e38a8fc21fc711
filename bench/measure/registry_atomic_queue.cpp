// SPDX-License-Identifier: MIT
// atomic_queue's rows.
#include <bench/measure/registry.hpp>
#include <bench/peers/atomic_queue_contender.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  registry.push_back(contender<peers::FanOut<peers::AtomicQueueLane<kPayload, true>>>(
      "atomic-queue-spsc", "atomic_queue AtomicQueueB2 SPSC, one per consumer", Origin::kPackaged));
  registry.push_back(contender<peers::ShareOut<peers::AtomicQueueLane<kPayload, false>>>(
      "atomic-queue", "atomic_queue AtomicQueueB2", Origin::kPackaged));
}

}  // namespace

void register_atomic_queue(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
}

}  // namespace evring::bench
