// SPDX-License-Identifier: MIT
// Rows that pass through the kernel.
#include <bench/measure/registry.hpp>
#include <bench/peers/kernel_contenders.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  registry.push_back(contender<peers::FanOut<peers::PipeLane<kPayload>>>(
      "pipe", "pipe, one per consumer", Origin::kKernel));
  registry.push_back(contender<peers::FanOut<peers::EventfdLane<kPayload>>>(
      "eventfd", "spsc_queue announced by eventfd, one per consumer", Origin::kKernel));
}

}  // namespace

void register_kernel(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
}

}  // namespace evring::bench
