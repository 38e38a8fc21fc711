// SPDX-License-Identifier: MIT
// One case of the comparison: what runs, how, and what it brings back. A case runs
// in a process of its own, so that no contender inherits another's memory or luck.
#pragma once

#include <bench/measure/registry.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace evring::bench {

struct Case {
  std::string loop = "throughput";  ///< see run_case()
  std::string contender;            ///< "" for the limits
  std::size_t payload_bytes = 56;
  std::size_t burst_count = 32;
  unsigned consumer_count = 1;
  std::size_t slot_count = 4096;
  double rate_hz = 0;  ///< latency
  unsigned duration_ms = 100;
  std::uint64_t event_count = 0;  ///< instead of a duration, where it is not 0
  bool fifo = true;

  /// The same for every round: "throughput/evring-gated/56B/burst32/1c/4096".
  std::string id() const;
  /// Arguments that make `evring_compare one` run it.
  std::vector<std::string> arguments() const;
};

/// Runs it here and now. Loops: throughput, same-thread, ping-pong, latency; and the
/// limits bare-plain, bare-vector, eventfd-wake, futex-wake, doorbell-wake, syscall.
///
/// @return {"id", "value", "unit", "exact", ...}; value is events/s for rates and ns
///         for all else.
/// @throws std::invalid_argument naming a loop or contender that does not exist.
nlohmann::json run_case(const Case& one);

/// Every case of a round.
std::vector<Case> plan_round(bool quick);

}  // namespace evring::bench
