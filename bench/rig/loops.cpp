// SPDX-License-Identifier: MIT
// The loops of evring_rig beside those of every contender. A new one: a line here, its
// function in loops.hpp.
#include <bench/rig/loops.hpp>

namespace evring::bench {

const std::vector<Loop>& all_loops() {
  static const std::vector<Loop> loops = {
      {"stopped-consumer", "overwrite mode with a consumer stopped or killed, and without",
       stopped_consumer},
      {"doorbell-look", "publishing with doorbells / without, in turns", doorbell_look},
      {"parked-wake", "waking a parked poller / a bare eventfd, in turns", parked_wake},
      {"parked-idle", "CPU time of a parked poller", parked_idle},
      {"moderation", "doorbells counted, less those of the formula", moderation},
      {"many-rings", "one busy ring among 1,024 / alone, in turns", many_rings},
      {"rate-sweep", "adaptive, spin and park, in turns", rate_sweep},
      {"waiting", "p50 of one way to wait: STRATEGY[:SPIN_US[:WAKE_EVENTS:WAKE_US]]", waiting},
  };
  return loops;
}

}  // namespace evring::bench
