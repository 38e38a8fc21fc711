// SPDX-License-Identifier: MIT
// wfcqueue's rows.
#include <bench/measure/registry.hpp>
#include <bench/peers/wfcqueue_contender.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  registry.push_back(contender<peers::FanOut<peers::WfcQueueLane<kPayload>>>(
      "wfcqueue", "liburcu wfcqueue, one per consumer", Origin::kPackaged));
}

}  // namespace

void register_wfcqueue(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
}

}  // namespace evring::bench
