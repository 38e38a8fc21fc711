// SPDX-License-Identifier: MIT
// What evring must reach, held against the rounds. A bar has parts; each part is a
// figure of one round (most are ratios of two), its value the median over rounds. A
// part without a figure fails: a bar that was not measured is not passed.
#pragma once

#include "rounds.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace evring::bench {

struct BarPart {
  unsigned bar = 0;  ///< number in the table of bars
  std::string name;
  bool at_least = true;  ///< else at most
  double limit = 0;
  std::function<std::optional<double>(const Round&)> figure;
};

struct BarResult {
  unsigned bar = 0;
  std::string name;
  bool at_least = true;
  double limit = 0;
  std::optional<double> value{};  ///< median over rounds
  double p10 = 0;
  double p90 = 0;
  unsigned round_count = 0;  ///< rounds that had the figure
  bool pass = false;
};

std::vector<BarPart> all_bars();
BarResult hold(const BarPart& part, const std::vector<Round>& rounds);
nlohmann::json to_json(const BarResult& result);

}  // namespace evring::bench
