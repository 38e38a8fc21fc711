// SPDX-License-Identifier: MIT
// rte_ring's rows. Compiled with the flags that DPDK asks for.
#include <bench/measure/registry.hpp>
#include <bench/peers/rte_ring_contender.hpp>

namespace evring::bench {
namespace {

using peers::ByBurst;
using peers::RteRing;

template <std::size_t kPayload>
using OneToOne = peers::FanOut<ByBurst<RteRing<kPayload, RING_F_SP_ENQ | RING_F_SC_DEQ>>>;
template <std::size_t kPayload>
using OneToMany = peers::ShareOut<ByBurst<RteRing<kPayload, RING_F_SP_ENQ>>>;
template <std::size_t kPayload>
using OneToManyHts = peers::ShareOut<ByBurst<RteRing<kPayload, RING_F_SP_ENQ | RING_F_MC_HTS_DEQ>>>;

}  // namespace

void register_rte_ring(Registry& registry) {
  add<OneToOne>(registry, "rte-ring-spsc", "DPDK rte_ring SP/SC, one per consumer",
                Origin::kPackaged);
  add<OneToMany>(registry, "rte-ring-spmc", "DPDK rte_ring SP/MC", Origin::kPackaged);
  add<OneToManyHts>(registry, "rte-ring-hts", "DPDK rte_ring SP/MC-HTS", Origin::kPackaged);
}

}  // namespace evring::bench
