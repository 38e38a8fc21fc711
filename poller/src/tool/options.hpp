// SPDX-License-Identifier: MIT
// The options of a command, checked as they are parsed. They stand on CLI11, which options.cpp
// and program.cpp alone include: whoever sees it pays seconds of compilation.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace evring::tool {

/// Each call adds one option, or by a name without dashes one positional. What it refers to
/// outlives the parsing, and holds the default, which --help shows where it is within bounds.
/// What does not parse ends the command with one line that names the option and the reason.
/// Main thread.
class Options {
 public:
  explicit Options(CLI::App& app) noexcept : app_(&app) {}

  enum class Need : bool { kOptional, kRequired };

  void flag(const std::string& name, bool& value, const std::string& what);
  void text(const std::string& name, std::string& value, const std::string& what,
            Need need = Need::kOptional);
  void text(const std::string& name, std::optional<std::string>& value, const std::string& what);
  /// Any number of positionals.
  void texts(const std::string& name, std::vector<std::string>& values, const std::string& what,
             Need need = Need::kOptional);

  /// As parse_number(): an integer, or an optional one.
  template <class Value>
  void number(const std::string& name, Value& value, std::uint64_t low, std::uint64_t high,
              const std::string& what) {
    add_number(name, {low, high, false}, setter(value), shown(value, low), what);
  }
  /// As parse_power_of_two().
  template <class Value>
  void power_of_two(const std::string& name, Value& value, std::uint64_t low, std::uint64_t high,
                    const std::string& what) {
    add_number(name, {low, high, true}, setter(value), shown(value, low), what);
  }
  /// As parse_duration(), in seconds.
  void seconds(const std::string& name, double& value, std::chrono::nanoseconds low,
               std::chrono::nanoseconds high, const std::string& what);
  /// One of `words`, each with what it stands for; `what` says which is the default.
  template <class Value>
  void choice(const std::string& name, Value& value,
              std::initializer_list<std::pair<const char*, std::type_identity_t<Value>>> words,
              const std::string& what) {
    std::vector<std::string> names;
    std::vector<Value> values;
    for (const auto& [word, stands_for] : words) {
      names.emplace_back(word);
      values.push_back(stands_for);
    }
    add_choice(
        name, std::move(names),
        [&value, values = std::move(values)](std::size_t i) { value = values[i]; }, what);
  }

  /// `name` and `other` do not go together.
  void exclude(const std::string& name, const std::string& other);
  /// --help leaves it out.
  void hide(const std::string& name);
  /// The end of --help.
  void footer(const std::string& text);

 private:
  using Setter = std::function<void(std::uint64_t)>;
  struct Bounds {
    std::uint64_t low, high;
    bool power_of_two;
  };

  template <std::integral Value>
  static Setter setter(Value& value) {
    return [&value](std::uint64_t number) { value = static_cast<Value>(number); };
  }
  template <std::integral Value>
  static Setter setter(std::optional<Value>& value) {
    return [&value](std::uint64_t number) { value = static_cast<Value>(number); };
  }
  /// What is out of bounds is no default, but stands for the lack of one.
  template <std::integral Value>
  static std::string shown(Value value, std::uint64_t low) {
    return static_cast<std::uint64_t>(value) < low ? std::string() : std::to_string(value);
  }
  template <class Value>
  static std::string shown(const std::optional<Value>&, std::uint64_t) {
    return {};
  }

  void add_number(const std::string& name, Bounds bounds, Setter set, const std::string& shown,
                  const std::string& what);
  void add_choice(const std::string& name, std::vector<std::string> words,
                  std::function<void(std::size_t)> set, const std::string& what);

  CLI::App* app_;
};

}  // namespace evring::tool
