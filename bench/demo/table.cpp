// SPDX-License-Identifier: MIT
#include "table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace evring::demo {

void Table::print() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::string line = fmt::format("  {:<{}}", rows_[r][0], widths[0]);
    for (std::size_t i = 1; i < rows_[r].size(); ++i) {
      line += fmt::format("  {:>{}}", rows_[r][i], widths[i]);
    }
    fmt::print("{}\n", line);
    if (r == 0) fmt::print("  {}\n", std::string(line.size() - 2, '-'));
  }
  fmt::print("\n");
  std::fflush(stdout);
}

std::string format_rate(double per_second) {
  if (per_second >= 1e6) return fmt::format("{:.1f} M/s", per_second / 1e6);
  if (per_second >= 1e3) return fmt::format("{:.1f} k/s", per_second / 1e3);
  return fmt::format("{:.0f} /s", per_second);
}

std::string format_count(std::uint64_t count) {
  std::string text = fmt::to_string(count);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), 1, ',');
  }
  return text;
}

std::string format_share(std::uint64_t part, std::uint64_t whole) {
  if (part == 0 || whole == 0) return "0";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void print_heading(const std::string& text) {
  fmt::print("== {} {}\n\n", text, std::string(96 - std::min<std::size_t>(text.size(), 95), '='));
  std::fflush(stdout);
}

void print_text(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > 98) {
      fmt::print("{}\n", line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  fmt::print("{}\n\n", line);
  std::fflush(stdout);
}

}  // namespace evring::demo
