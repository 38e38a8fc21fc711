// SPDX-License-Identifier: MIT
// oneTBB's concurrent_bounded_queue, shared.
#include <bench/contenders/queue.hpp>
#include <bench/contenders/registry.hpp>

#include <oneapi/tbb/concurrent_queue.h>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
class TbbBoundedQueue {
 public:
  using Payload = Words<kPayload>;

  explicit TbbBoundedQueue(std::size_t slot_count) {
    queue_.set_capacity(static_cast<std::ptrdiff_t>(slot_count));
  }

  bool push(const Payload& event) { return queue_.try_push(event); }
  bool pop(Payload& event) { return queue_.try_pop(event); }

 private:
  tbb::concurrent_bounded_queue<Payload> queue_;
};

template <std::size_t kPayload>
using TbbBounded = ShareOut<OneByOne<TbbBoundedQueue<kPayload>>>;

}  // namespace

void add_tbb(Registry& registry) {
  add<TbbBounded>(registry, "tbb-bounded", "oneTBB concurrent_bounded_queue", Origin::kPackaged);
}

}  // namespace evring::bench
