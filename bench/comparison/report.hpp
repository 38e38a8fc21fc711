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
  nlohmann::json axes;        ///< Case::axes(); null for records from elsewhere
};

std::vector<Summary> summarise(const Rounds& rounds);

/// How the rounds were run.
struct ReportOptions {
  Placement placement{};
  std::uint64_t seed = 0;
  std::string only{};  ///< as asked for; the text then leaves out what was not measured
  double elapsed_s = 0;
};

/// {"machine", "cpu_count", "seed", "elapsed_s", "bars", "cases", "missing", "rounds"}
nlohmann::json report_json(const Rounds& rounds, const std::vector<BarResult>& bars,
                           const ReportOptions& options);

/// Tables of the cases and of the bars, for people.
std::string report_text(const nlohmann::json& report);

/// The same as one page, with plots.
std::string report_html(const nlohmann::json& report);

/// "17 of 31 bars' parts reached, 2 not measured"
std::string summary_of_bars(const nlohmann::json& bars);

}  // namespace evring::bench
