// SPDX-License-Identifier: MIT
// TOML tables read key by key; every mistake is noted with its place, and every
// key that nobody asked for is one.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace evring::daemon {

/// Mistakes found so far, in order.
class Mistakes {
 public:
  explicit Mistakes(std::string path) : path_(std::move(path)) {}
  void add(const toml::source_region& where, std::string_view key, std::string_view reason,
           std::string_view remedy);
  const std::string& text() const noexcept { return text_; }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  std::string text_;
};

/// Each getter gives nothing when the key is missing or wrong; wrong is noted.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string name, Mistakes& mistakes)
      : table_(&table), name_(std::move(name)), mistakes_(&mistakes) {}

  std::optional<std::string> text(std::string_view key);
  std::optional<std::string> required_text(std::string_view key);
  /// A string, or a number as its digits.
  std::optional<std::string> text_or_number(std::string_view key);
  std::optional<std::int64_t> number(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<bool> boolean(std::string_view key);
  bool is_text(std::string_view key) const;

  void refuse(std::string_view key, std::string_view reason, std::string_view remedy);
  void refuse_unread();

 private:
  const toml::node* find(std::string_view key);
  std::string full(std::string_view key) const { return name_ + '.' + std::string(key); }

  const toml::table* table_;
  std::string name_;
  Mistakes* mistakes_;
  std::set<std::string, std::less<>> asked_;
};

class TomlFile {
 public:
  /// @throws ConfigError when it cannot be read, or is not TOML.
  explicit TomlFile(const std::string& path);

  std::optional<TableReader> table(std::string_view name);
  std::vector<TableReader> tables(std::string_view name);
  void refuse_unread();
  void refuse_file(std::string_view reason, std::string_view remedy);
  /// @throws ConfigError with all mistakes.
  void throw_if_refused() const;

 private:
  toml::table root_;
  Mistakes mistakes_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace evring::daemon
