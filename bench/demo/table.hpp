// SPDX-License-Identifier: MIT
// Aligned tables, and numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace evring::demo {

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// The first column to the left, all others to the right, indented by two.
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "12.3 M/s", "4.56 k/s".
std::string format_rate(double per_second);
/// "1,234,567".
std::string format_count(std::uint64_t count);
/// "2.1 %".
std::string format_share(std::uint64_t part, std::uint64_t whole);

/// A heading between two parts of the output.
void print_heading(const std::string& text);
/// A paragraph, wrapped to 100 columns.
void print_text(const std::string& text);

}  // namespace evring::demo
