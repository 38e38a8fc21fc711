// SPDX-License-Identifier: MIT
// What quiet rings cost a busy one: a poller over that ring alone and a poller over it
// and a thousand quiet ones, in turns in one process.
#pragma once

#include <bench/measure/poller_rig.hpp>

namespace evring::bench {

struct ManyRingsOptions {
  WaitStrategy strategy = WaitStrategy::kAdaptive;
  unsigned ring_count = 1024;  ///< the busy one included
  unsigned turn_count = 3;     ///< of each
  RigLoad load{};
  Placement placement{};
};

struct ManyRingsResult {
  RigSummary alone;
  RigSummary among_many;
};

/// @throws std::system_error when the machine lacks the descriptors (four a ring).
ManyRingsResult run_many_rings(const ManyRingsOptions& options);

}  // namespace evring::bench
