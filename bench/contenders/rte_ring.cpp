// SPDX-License-Identifier: MIT
// DPDK's rte_ring with elements copied in and out by bursts; memory of our own, no EAL. Single
// consumer as fan-out; several with compare-and-swap or head-tail synchronisation, shared.
// Compiled with the flags that DPDK asks for.
#include <bench/contenders/queue.hpp>
#include <bench/contenders/registry.hpp>

#include <rte_errno.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <system_error>

namespace evring::bench {
namespace {

/// `kFlags` are rte_ring's; its dequeue follows them. A ring of n takes n - 1 events.
template <std::size_t kPayload, unsigned kFlags>
class RteRing {
 public:
  using value_type = Words<kPayload>;

  explicit RteRing(std::size_t slot_count) {
    const auto count = static_cast<unsigned>(slot_count);
    const ssize_t bytes = rte_ring_get_memsize_elem(kPayload, count);
    if (bytes < 0) {
      throw std::system_error(static_cast<int>(-bytes), std::generic_category(), "rte_ring size");
    }
    const std::size_t rounded =
        (static_cast<std::size_t>(bytes) + kLineBytes - 1) / kLineBytes * kLineBytes;
    ring_.reset(static_cast<rte_ring*>(std::aligned_alloc(kLineBytes, rounded)));
    if (ring_ == nullptr) throw std::bad_alloc();
    const int error = rte_ring_init(ring_.get(), "lane", count, kFlags);
    if (error != 0) throw std::system_error(-error, std::generic_category(), "rte_ring_init");
  }

  std::size_t push(const value_type* events, std::size_t count) {
    return rte_ring_enqueue_burst_elem(ring_.get(), events, kPayload, static_cast<unsigned>(count),
                                       nullptr);
  }

  std::size_t pop(value_type* events, std::size_t count) {
    return rte_ring_dequeue_burst_elem(ring_.get(), events, kPayload, static_cast<unsigned>(count),
                                       nullptr);
  }

 private:
  struct Free {
    void operator()(rte_ring* ring) const noexcept { std::free(ring); }
  };
  std::unique_ptr<rte_ring, Free> ring_;
};

template <std::size_t kPayload>
using RteOneToOne = FanOut<ByBurst<RteRing<kPayload, RING_F_SP_ENQ | RING_F_SC_DEQ>>>;
template <std::size_t kPayload>
using RteOneToMany = ShareOut<ByBurst<RteRing<kPayload, RING_F_SP_ENQ>>>;
template <std::size_t kPayload>
using RteOneToManyHts = ShareOut<ByBurst<RteRing<kPayload, RING_F_SP_ENQ | RING_F_MC_HTS_DEQ>>>;

}  // namespace

void add_rte_ring(Registry& registry) {
  add<RteOneToOne>(registry, "rte-ring-spsc", "DPDK rte_ring SP/SC, one per consumer",
                   Origin::kPackaged);
  add<RteOneToMany>(registry, "rte-ring-spmc", "DPDK rte_ring SP/MC", Origin::kPackaged);
  add<RteOneToManyHts>(registry, "rte-ring-hts", "DPDK rte_ring SP/MC-HTS", Origin::kPackaged);
}

}  // namespace evring::bench
