// SPDX-License-Identifier: MIT
// Rows of packaged queues, as far as this build has them; rte_ring's, whose flags no
// other file should get, are in registry_rte_ring.cpp.
#include <bench/measure/registry.hpp>
#include <bench/peers/boost_contenders.hpp>

#ifdef EVRING_WITH_MOODYCAMEL
#include <bench/peers/moodycamel_contenders.hpp>
#endif
#ifdef EVRING_WITH_ATOMIC_QUEUE
#include <bench/peers/atomic_queue_contender.hpp>
#endif
#ifdef EVRING_WITH_TBB
#include <bench/peers/tbb_contender.hpp>
#endif
#ifdef EVRING_WITH_WFCQUEUE
#include <bench/peers/wfcqueue_contender.hpp>
#endif

namespace evring::bench {
namespace {

using namespace peers;

constexpr Origin kPackaged = Origin::kPackaged;

template <std::size_t kPayload>
using BoostSpsc = FanOut<BoostSpscLane<kPayload>>;
template <std::size_t kPayload>
using BoostShared = ShareOut<OneByOne<BoostQueue<kPayload>>>;

void register_boost(Registry& registry) {
  add<BoostSpsc>(registry, "boost-spsc", "boost::lockfree::spsc_queue, one per consumer",
                 kPackaged);
  add<BoostShared>(registry, "boost-queue", "boost::lockfree::queue", kPackaged);
}

#ifdef EVRING_WITH_MOODYCAMEL
template <std::size_t kPayload>
using ReaderWriter = FanOut<OneByOne<ReaderWriterQueue<kPayload>>>;

void register_moodycamel(Registry& registry) {
  add<ReaderWriter>(registry, "moodycamel-rw", "moodycamel ReaderWriterQueue, one per consumer",
                    kPackaged);
  add<ConcurrentQueue>(registry, "moodycamel-concurrent",
                       "moodycamel ConcurrentQueue, tokens and bulk", kPackaged);
}
#else
void register_moodycamel(Registry&) {}
#endif

#ifdef EVRING_WITH_ATOMIC_QUEUE
template <std::size_t kPayload>
using AtomicSpsc = FanOut<OneByOne<AtomicQueue<kPayload, true>>>;
template <std::size_t kPayload>
using AtomicShared = ShareOut<OneByOne<AtomicQueue<kPayload, false>>>;

void register_atomic_queue(Registry& registry) {
  add<AtomicSpsc>(registry, "atomic-queue-spsc",
                  "atomic_queue AtomicQueueB2 SPSC, one per consumer", kPackaged);
  add<AtomicShared>(registry, "atomic-queue", "atomic_queue AtomicQueueB2", kPackaged);
}
#else
void register_atomic_queue(Registry&) {}
#endif

#ifdef EVRING_WITH_TBB
template <std::size_t kPayload>
using Tbb = ShareOut<TbbLane<kPayload>>;
template <std::size_t kPayload>
using TbbBounded = ShareOut<OneByOne<TbbBoundedQueue<kPayload>>>;

void register_tbb(Registry& registry) {
  add<Tbb>(registry, "tbb-queue", "oneTBB concurrent_queue, bounded outside", kPackaged);
  add<TbbBounded>(registry, "tbb-bounded", "oneTBB concurrent_bounded_queue", kPackaged);
}
#else
void register_tbb(Registry&) {}
#endif

#ifdef EVRING_WITH_WFCQUEUE
template <std::size_t kPayload>
using WfcQueue = FanOut<WfcQueueLane<kPayload>>;

void register_wfcqueue(Registry& registry) {
  add<WfcQueue>(registry, "wfcqueue", "liburcu wfcqueue, one per consumer", kPackaged);
}
#else
void register_wfcqueue(Registry&) {}
#endif

}  // namespace

void register_peers(Registry& registry) {
  register_boost(registry);
  register_moodycamel(registry);
  register_atomic_queue(registry);
  register_tbb(registry);
  register_wfcqueue(registry);
}

}  // namespace evring::bench
