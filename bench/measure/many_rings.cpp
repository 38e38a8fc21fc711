// SPDX-License-Identifier: MIT
// Two rigs in turns.
#include <bench/measure/many_rings.hpp>

namespace evring::bench {

ManyRingsResult run_many_rings(const ManyRingsOptions& options) {
  RigOptions rig;
  rig.placement = options.placement;
  rig.poller.strategy = options.strategy;
  const std::int64_t offset = measure_tick_offset(options.placement);
  PollerRig alone(rig, offset);
  rig.quiet_ring_count = options.ring_count - 1;
  PollerRig many(rig, offset);
  const std::vector<RigSummary> found =
      run_in_turns({&alone, &many}, options.load, options.turn_count);
  return {found[0], found[1]};
}

}  // namespace evring::bench
