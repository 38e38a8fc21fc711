// SPDX-License-Identifier: MIT
// Rounds: every case once, in shuffled order, each in a fresh process. Figures of one
// round are paired; a case that fails or overruns its time has none in that round.
#pragma once

#include "cases.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace evring::bench {

/// One round's records by case id.
using Round = std::map<std::string, nlohmann::json>;

struct RoundOptions {
  unsigned round_count = 9;
  std::uint64_t seed = 1;
  std::string program;  ///< evring_compare itself
  unsigned case_timeout_s = 10;
  double time_limit_s = 13 * 60;  ///< no new case past this
  bool quiet = false;
};

std::vector<Round> run_rounds(const std::vector<Case>& plan, const RoundOptions& options);

/// Runs `program` with the case's arguments. @return its record, or {"id", "failed"}.
nlohmann::json run_case_apart(const std::string& program, const Case& one, unsigned timeout_s);

/// The value of `id` in that round: only if it ran and every payload added up.
std::optional<double> value_of(const Round& round, const std::string& id,
                               const std::string& key = "value");

}  // namespace evring::bench
