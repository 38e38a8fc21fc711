// SPDX-License-Identifier: MIT
// What a table must say about where it was measured.
#pragma once

#include <bench/measure/thread.hpp>

#include <string>

namespace evring::bench {

struct Machine {
  std::string cpu;       ///< model name and count
  std::string kernel;    ///< release and machine
  std::string governor;  ///< of CPU 0, or "none (no cpufreq)"
  std::string caches;    ///< "L1d 32 KiB, L2 1024 KiB, L3 32768 KiB"
  std::string compiler;
};

/// Reads /proc and /sys; what cannot be read is "unknown".
Machine describe_machine();

/// "CPUs 0,1, thread i on the i-th, SCHED_FIFO"
std::string describe_placement(const Placement& placement);

/// The command line of this process, as typed.
std::string describe_command();

}  // namespace evring::bench
