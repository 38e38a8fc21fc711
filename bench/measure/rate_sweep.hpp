// SPDX-License-Identifier: MIT
// One rate, three ways to wait: spin, park, and the adaptive strategy that must not be
// behind both. Pollers of the same ring size in turns in one process.
#pragma once

#include <bench/measure/poller_rig.hpp>

namespace evring::bench {

struct RateSweepOptions {
  RigLoad load{};
  unsigned turn_count = 3;  ///< of each
  Placement placement{};
};

struct RateSweepResult {
  RigSummary spin;
  RigSummary park;
  RigSummary adaptive;

  /// Adaptive's rate over the lower of the other two.
  double throughput_ratio() const;
  /// The longer p50 of the other two over adaptive's.
  double latency_ratio() const;
};

RateSweepResult run_rate_sweep(const RateSweepOptions& options);

}  // namespace evring::bench
