// SPDX-License-Identifier: MIT
// oneTBB's rows.
#include <bench/measure/registry.hpp>
#include <bench/peers/tbb_contender.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  registry.push_back(contender<peers::ShareOut<peers::TbbLane<kPayload>>>(
      "tbb-queue", "oneTBB concurrent_queue, bounded outside", Origin::kPackaged));
  registry.push_back(contender<peers::ShareOut<peers::TbbBoundedLane<kPayload>>>(
      "tbb-bounded", "oneTBB concurrent_bounded_queue", Origin::kPackaged));
}

}  // namespace

void register_tbb(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
}

}  // namespace evring::bench
