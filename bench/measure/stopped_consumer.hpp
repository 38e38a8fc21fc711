// SPDX-License-Identifier: MIT
// A ring in overwrite mode whose producer and one living consumer run with a second
// consumer, a process of its own, that is stopped or dead; and without it, in turns.
#pragma once

#include <bench/measure/thread.hpp>

#include <chrono>
#include <cstdint>

namespace evring::bench {

enum class Halt {
  kStopped,  ///< SIGSTOP: it is there and does not run
  kKilled,   ///< SIGKILL, in the middle of its reading
};

struct StoppedOptions {
  std::size_t slot_count = 4096;
  std::size_t burst_count = 32;
  unsigned turn_count = 6;
  std::chrono::milliseconds turn{15};  ///< flat out; a third of it at kPacedHz
  Halt halt = Halt::kStopped;
  Placement placement{};
};

struct StoppedResult {
  double rate_ratio = 0;       ///< producer's rate with it / without, median over turns
  double delivered_ratio = 0;  ///< the living one's received of published, with / without
  double paced_lost_more = 0;  ///< what it lost more at kPacedHz, all turns together
  double rate_with = 0;        ///< events/s, median over turns
  double rate_without = 0;
  bool exact = false;  ///< received + lost == published in every turn, nothing torn
};

/// Slow enough for a consumer to lose nothing.
inline constexpr double kPacedHz = 1e6;

/// Forks: the calling process has no other threads.
StoppedResult run_stopped_consumer(const StoppedOptions& options);

}  // namespace evring::bench
