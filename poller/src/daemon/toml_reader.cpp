// SPDX-License-Identifier: MIT
#include "toml_reader.hpp"

#include "config.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace evring::daemon {
namespace {

std::string read_whole(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  std::ostringstream text;
  if (file && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (file.eof()) return "";  // an empty one
  if (!file || !text) {
    const int error = errno == 0 ? EIO : errno;
    throw ConfigError(fmt::format("{}: cannot read it: {}; name a readable TOML file", path,
                                  std::generic_category().message(error)));
  }
  return text.str();
}

toml::table parse(const std::string& path) {
  try {
    return toml::parse(read_whole(path), path);
  } catch (const toml::parse_error& error) {
    throw ConfigError(fmt::format("{}:{}: not TOML: {}; correct the line, see evringd.toml(5)",
                                  path, error.source().begin.line,
                                  std::string(error.description())));
  }
}

}  // namespace

void Mistakes::add(const toml::source_region& where, std::string_view key, std::string_view reason,
                   std::string_view remedy) {
  text_ += fmt::format("{}{}:{}: {}: {}{}{}", text_.empty() ? "" : "\n", path_, where.begin.line,
                       key, reason, remedy.empty() ? "" : "; ", remedy);
}

const toml::node* TableReader::find(std::string_view key) {
  asked_.emplace(key);
  return table_->get(key);
}

bool TableReader::is_text(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node != nullptr && node->is_string();
}

std::optional<std::string> TableReader::text(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_string()) {
    refuse(key, "not a string", "put it in quotes");
    return std::nullopt;
  }
  return node->value<std::string>();
}

std::optional<std::string> TableReader::required_text(std::string_view key) {
  if (find(key) == nullptr) {
    mistakes_->add(table_->source(), full(key), "missing",
                   fmt::format("add {} = \"…\" to this table", key));
    return std::nullopt;
  }
  auto value = text(key);
  if (value && value->empty()) {
    refuse(key, "empty", "name it");
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> TableReader::text_or_number(std::string_view key) {
  const toml::node* node = find(key);
  if (node != nullptr && node->is_integer()) return fmt::to_string(*node->value<std::int64_t>());
  return text(key);
}

std::optional<std::int64_t> TableReader::number(std::string_view key, std::int64_t min,
                                                std::int64_t max) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_integer() ? node->value<std::int64_t>() : std::nullopt;
  if (!value || *value < min || *value > max) {
    refuse(key, value ? fmt::format("{} is out of range", *value) : "not a whole number",
           fmt::format("write a number from {} to {}", min, max));
    return std::nullopt;
  }
  return value;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_boolean()) {
    refuse(key, "not a boolean", "write true or false");
    return std::nullopt;
  }
  return node->value<bool>();
}

void TableReader::refuse(std::string_view key, std::string_view reason, std::string_view remedy) {
  const toml::node* node = table_->get(key);
  mistakes_->add(node != nullptr ? node->source() : table_->source(), full(key), reason, remedy);
}

void TableReader::refuse_unread() {
  for (const auto& [key, node] : *table_) {
    if (asked_.contains(key.str())) continue;
    mistakes_->add(node.source(), full(key.str()), "no such key",
                   "correct or remove it; evringd.toml(5) lists them");
  }
}

TomlFile::TomlFile(const std::string& path) : root_(parse(path)), mistakes_(path) {}

std::optional<TableReader> TomlFile::table(std::string_view name) {
  asked_.emplace(name);
  const toml::node* node = root_.get(name);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) {
    mistakes_.add(node->source(), name, "not a table", fmt::format("write [{}]", name));
    return std::nullopt;
  }
  return TableReader(*node->as_table(), std::string(name), mistakes_);
}

std::vector<TableReader> TomlFile::tables(std::string_view name) {
  asked_.emplace(name);
  std::vector<TableReader> readers;
  const toml::node* node = root_.get(name);
  if (node == nullptr) return readers;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_array_of_tables()) {
    mistakes_.add(node->source(), name, "not an array of tables",
                  fmt::format("write [[{}]] above each", name));
    return readers;
  }
  for (const toml::node& element : *array) {
    readers.emplace_back(*element.as_table(), std::string(name), mistakes_);
  }
  return readers;
}

void TomlFile::refuse_unread() {
  for (const auto& [key, node] : root_) {
    if (asked_.contains(key.str())) continue;
    mistakes_.add(node.source(), key.str(), "no such key or table",
                  "correct or remove it; evringd.toml(5) lists them");
  }
}

void TomlFile::refuse_file(std::string_view reason, std::string_view remedy) {
  mistakes_.add(root_.source(), "consumer", reason, remedy);
}

void TomlFile::throw_if_refused() const {
  if (!mistakes_.text().empty()) throw ConfigError(mistakes_.text());
}

}  // namespace evring::daemon
