// SPDX-License-Identifier: MIT
// Plots of a report's tables, as SVG inside the page: no script, no file beside it.
#pragma once

#include "report_tables.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace evring::bench {

/// A line across a plot: what the machine allows.
struct PlotLimit {
  std::string name;
  double value = 0;  ///< in the table's unit
};

/// A row for each contender, a dot for each column's median, p10 to p90 as a line
/// through it. Rates from zero; times on a logarithmic scale.
std::string dot_plot(const Table& table, const std::optional<PlotLimit>& limit);

/// How far each part of a bar is reached: 1 is the bar, right of it is better.
std::string bars_plot(const nlohmann::json& bars);

/// `text` with what HTML would take for markup replaced.
std::string escaped(const std::string& text);

}  // namespace evring::bench
