// SPDX-License-Identifier: MIT
// What a comparison leaves behind: tables on the terminal, one JSON file, one HTML
// page with its plots inside, which needs neither server nor network.
#pragma once

#include "bars.hpp"

#include <bench/measure/thread.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace evring::bench {

/// Median and spread of one case over the rounds.
struct Summary {
  std::string id;
  std::string unit;
  double median = 0;
  double p10 = 0;
  double p90 = 0;
  unsigned round_count = 0;   ///< rounds that had a figure
  unsigned failed_count = 0;  ///< rounds in which it failed or did not add up
};

std::vector<Summary> summarise(const Rounds& rounds);

/// {"machine", "bars", "cases", "missing", "rounds"}
nlohmann::json report_json(const Rounds& rounds, const std::vector<BarResult>& bars,
                           const Placement& placement);

/// Tables of the cases and of the bars, for people.
std::string report_text(const nlohmann::json& report);

/// The same as one page.
std::string report_html(const nlohmann::json& report);

}  // namespace evring::bench
