// SPDX-License-Identifier: MIT
// moodycamel's rows.
#include <bench/measure/registry.hpp>
#include <bench/peers/moodycamel_contenders.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  registry.push_back(contender<peers::FanOut<peers::ReaderWriterLane<kPayload>>>(
      "moodycamel-rw", "moodycamel ReaderWriterQueue, one per consumer", Origin::kPackaged));
  registry.push_back(contender<peers::ConcurrentQueue<kPayload>>(
      "moodycamel-concurrent", "moodycamel ConcurrentQueue, tokens and bulk", Origin::kPackaged));
}

}  // namespace

void register_moodycamel(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
}

}  // namespace evring::bench
