// SPDX-License-Identifier: MIT
// Rounds: each case in a fresh process, groups in shuffled order and the cases within a
// group as well. Figures of one round are paired; a case that fails or overruns its
// time has none in that round.
#pragma once

#include "plan.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace evring::bench {

/// One round's records by case id.
using Round = std::map<std::string, nlohmann::json>;
using Rounds = std::vector<Round>;

struct RoundOptions {
  unsigned round_count = 9;
  std::uint64_t seed = 1;
  std::string program;                ///< evring_compare itself
  unsigned case_timeout_s = 10;       ///< beside the case's duration
  unsigned throughput_timeout_s = 3;  ///< the same: it ends soon after its duration, or in a
                                      ///< convoy of threads that share a CPU
  /// No new case past this; and groups that need not run in every round are left out of
  /// a round that begins behind its share of it.
  double time_limit_s = 12 * 60;
  bool fifo = true;
  bool silent = false;
};

Rounds run_rounds(const Plan& plan, const RoundOptions& options);

/// Adds records of the file's rounds, an array of {id: record}, to these, by their order.
/// @throws std::runtime_error naming the path.
void merge_rounds(Rounds& rounds, const std::string& path);

/// Runs `program` with the case's arguments. @return its record, or {"id", "failed"}.
nlohmann::json run_case_apart(const std::string& program, const Case& one, unsigned timeout_s);

/// The value of `id` in that round: only if it ran and every payload added up.
std::optional<double> value_of(const Round& round, const std::string& id,
                               const std::string& key = "value");

}  // namespace evring::bench
