// SPDX-License-Identifier: MIT
// One case of the comparison: what runs, how, and what it brings back. A case runs
// in a process of its own, so that no contender inherits another's memory or luck.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace evring::bench {

/// Variant of throughput: consumers take turns on the producer's CPU as well. Differs from
/// none where there are more threads than CPUs.
inline constexpr std::string_view kSpread = "spread";

struct Case {
  std::string loop = "throughput";  ///< a name of all_loops()
  std::string contender{};          ///< "" for a loop that is no queue's
  std::string variant{};            ///< what the loop tells apart besides, in its own words
  std::size_t payload_bytes = 56;
  std::size_t burst_count = 32;
  unsigned consumer_count = 1;
  std::size_t slot_count = 4096;
  double rate_hz = 0;  ///< of a paced producer
  unsigned duration_ms = 100;
  std::uint64_t event_count = 0;  ///< instead of a duration, where it is not 0
  bool fifo = true;

  /// Arguments that make `evring_rig one` run it.
  std::vector<std::string> arguments() const;
};

/// How cases are run: one line of the table in cases.cpp.
struct Loop {
  std::string name;
  std::string what;  ///< one line for people
  /// @return {"value", "unit", "exact", …}: value is events/s for rates and ns for most
  ///         else; exact says that all that could be checked added up.
  nlohmann::json (*run)(const Case&) = nullptr;
};

const std::vector<Loop>& all_loops();

/// Runs it here and now.
///
/// @return what its loop returns.
/// @throws std::invalid_argument naming a loop or contender that does not exist.
nlohmann::json run_case(const Case& one);

}  // namespace evring::bench
