// SPDX-License-Identifier: MIT
// Boost.Lockfree's rows.
#include <bench/measure/registry.hpp>
#include <bench/peers/boost_contenders.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  registry.push_back(contender<peers::FanOut<peers::BoostSpscLane<kPayload>>>(
      "boost-spsc", "boost::lockfree::spsc_queue, one per consumer", Origin::kPackaged));
  registry.push_back(contender<peers::ShareOut<peers::BoostQueueLane<kPayload>>>(
      "boost-queue", "boost::lockfree::queue", Origin::kPackaged));
}

}  // namespace

void register_boost(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
}

}  // namespace evring::bench
