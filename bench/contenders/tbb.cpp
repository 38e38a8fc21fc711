// SPDX-License-Identifier: MIT
// oneTBB's concurrent_bounded_queue, shared.
#include <bench/contenders/queue.hpp>
#include <bench/contenders/registry.hpp>

#include <oneapi/tbb/concurrent_queue.h>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
struct BoundedQueue : tbb::concurrent_bounded_queue<Words<kPayload>> {
  explicit BoundedQueue(unsigned slot_count) { this->set_capacity(slot_count); }
};
template <std::size_t kPayload>
using TbbBounded = ShareOut<OneByOne<BoundedQueue<kPayload>>>;

}  // namespace

void add_tbb(Registry& registry) {
  add<TbbBounded>(registry, "tbb-bounded", "oneTBB concurrent_bounded_queue", Origin::kPackaged);
}

}  // namespace evring::bench
