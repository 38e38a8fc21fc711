// SPDX-License-Identifier: MIT
// Boost.Lockfree: spsc_queue, one per consumer, and queue, shared. Bounded, so that neither
// allocates while it is measured.
#include <bench/contenders/queue.hpp>
#include <bench/contenders/registry.hpp>

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include <array>

namespace evring::bench {
namespace {

/// boost::lockfree::spsc_queue: payloads are made in its memory.
template <std::size_t kPayload>
class BoostSpscLane {
 public:
  using Payload = Words<kPayload>;

  explicit BoostSpscLane(std::size_t slot_count) : queue_(slot_count) {}

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) {
    if (count == 1) return queue_.push(source(first)) ? 1 : 0;
    using Made = MadeWhenRead<Source>;
    return queue_.push(Made(source, first), Made(source, first + count)).sequence() - first;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    if (count == 1) return queue_.consume_one([&sink](const Payload& event) { sink(event); });
    std::array<Payload, kBurstMax> events;
    const std::size_t taken = queue_.pop(events.data(), count);
    for (std::size_t i = 0; i < taken; ++i) sink(events[i]);
    return taken;
  }

 private:
  boost::lockfree::spsc_queue<Payload> queue_;
};

template <std::size_t kPayload>
using BoostSpsc = FanOut<BoostSpscLane<kPayload>>;
template <std::size_t kPayload>
using BoostShared = ShareOut<OneByOne<boost::lockfree::queue<Words<kPayload>>>>;

}  // namespace

void add_boost(Registry& registry) {
  add<BoostSpsc>(registry, "boost-spsc", "boost::lockfree::spsc_queue, one per consumer",
                 Origin::kPackaged);
  add<BoostShared>(registry, "boost-queue", "boost::lockfree::queue", Origin::kPackaged);
}

}  // namespace evring::bench
