// SPDX-License-Identifier: MIT
// Three rigs in turns.
#include <bench/measure/rate_sweep.hpp>

#include <algorithm>

namespace evring::bench {

double RateSweepResult::throughput_ratio() const {
  const double behind = std::min(spin.events_per_second, park.events_per_second);
  return behind == 0 ? 0 : adaptive.events_per_second / behind;
}

double RateSweepResult::latency_ratio() const {
  return adaptive.p50_ns <= 0 ? 0 : std::max(spin.p50_ns, park.p50_ns) / adaptive.p50_ns;
}

RateSweepResult run_rate_sweep(const RateSweepOptions& options) {
  const std::int64_t offset = measure_tick_offset(options.placement);
  const auto with = [&](WaitStrategy strategy) {
    RigOptions rig;
    rig.placement = options.placement;
    rig.poller.strategy = strategy;
    return rig;
  };
  PollerRig spin(with(WaitStrategy::kBusySpin), offset);
  PollerRig park(with(WaitStrategy::kPark), offset);
  PollerRig adaptive(with(WaitStrategy::kAdaptive), offset);
  const std::vector<RigSummary> found =
      run_in_turns({&spin, &park, &adaptive}, options.load, options.turn_count);
  return {found[0], found[1], found[2]};
}

}  // namespace evring::bench
