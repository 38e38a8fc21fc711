// SPDX-License-Identifier: MIT
// The cases of a report, turned into tables: a row for each contender, a column for
// each step of one axis. The text and the page show the same ones.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace evring::bench {

struct Cell {
  double median = 0;
  double p10 = 0;
  double p90 = 0;
  unsigned round_count = 0;
};

struct TableRow {
  std::string name;
  bool ours = false;
  std::vector<std::optional<Cell>> cells;  ///< one a column; nothing: no exact run, or none
};

struct Table {
  std::string title;
  std::string unit;  ///< of the cells: "M/s", "ns", …
  bool larger_is_better = true;
  std::vector<std::string> columns;
  std::vector<TableRow> rows;  ///< best first
};

/// Those for which the report has figures.
std::vector<Table> tables_of(const nlohmann::json& report);

/// The cases that no table shows: limits, and what has axes of its own.
std::vector<nlohmann::json> other_cases_of(const nlohmann::json& report);

/// "236 M/s", "41.3 ns": what `value` is in `unit` of a record.
std::string human(double value, const std::string& unit);

/// The fewest and the most rounds behind a table's cells: "9 rounds", "3 to 9 rounds".
std::string rounds_of(const Table& table);

}  // namespace evring::bench
