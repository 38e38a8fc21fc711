// SPDX-License-Identifier: MIT
// rte_ring's rows. Compiled with the flags that DPDK asks for.
#include <bench/measure/registry.hpp>
#include <bench/peers/rte_ring_contender.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  constexpr unsigned kOneToOne = RING_F_SP_ENQ | RING_F_SC_DEQ;
  constexpr unsigned kOneToMany = RING_F_SP_ENQ;
  constexpr unsigned kOneToManyHts = RING_F_SP_ENQ | RING_F_MC_HTS_DEQ;
  registry.push_back(contender<peers::FanOut<peers::RteRingLane<kPayload, kOneToOne>>>(
      "rte-ring-spsc", "DPDK rte_ring SP/SC, one per consumer", Origin::kPackaged));
  registry.push_back(contender<peers::ShareOut<peers::RteRingLane<kPayload, kOneToMany>>>(
      "rte-ring-spmc", "DPDK rte_ring SP/MC", Origin::kPackaged));
  registry.push_back(contender<peers::ShareOut<peers::RteRingLane<kPayload, kOneToManyHts>>>(
      "rte-ring-hts", "DPDK rte_ring SP/MC-HTS", Origin::kPackaged));
}

}  // namespace

void register_rte_ring(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
}

}  // namespace evring::bench
