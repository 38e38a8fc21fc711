// SPDX-License-Identifier: MIT
#include "tool/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <evring/poller/parse.hpp>
#include <stdexcept>

namespace evring::tool {
namespace {

/// An option of one word, which `take` reads; what that throws is the reason.
CLI::Option* add_word(CLI::App& app, const std::string& name, const char* type,
                      const std::string& shown, const std::string& what,
                      std::function<void(const std::string&)> take) {
  const auto checked = [name, take = std::move(take)](const std::string& text) {
    try {
      take(text);
    } catch (const std::invalid_argument& error) {
      throw CLI::ValidationError(name, error.what());
    }
  };
  CLI::Option* option = app.add_option_function<std::string>(name, checked, what);
  option->type_name(type);
  if (!shown.empty()) option->default_str(shown);
  return option;
}

std::size_t place_among(const std::vector<std::string>& words, const std::string& word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) {
    throw std::invalid_argument(fmt::format("'{}' is not one of {}", word, fmt::join(words, ", ")));
  }
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace

void Options::flag(const std::string& name, bool& value, const std::string& what) {
  app_->add_flag(name, value, what);
}

void Options::text(const std::string& name, std::string& value, const std::string& what,
                   Need need) {
  add_word(*app_, name, "TEXT", value, what, [&value](const std::string& text) {
    value = text;
  })->required(need == Need::kRequired);
}

void Options::text(const std::string& name, std::optional<std::string>& value,
                   const std::string& what) {
  add_word(*app_, name, "TEXT", {}, what, [&value](const std::string& text) { value = text; });
}

void Options::texts(const std::string& name, std::vector<std::string>& values,
                    const std::string& what, Need need) {
  app_->add_option(name, values, what)->required(need == Need::kRequired);
}

void Options::seconds(const std::string& name, double& value, std::chrono::nanoseconds low,
                      std::chrono::nanoseconds high, const std::string& what) {
  const auto take = [&value, low, high](const std::string& text) {
    value = static_cast<double>(parse_duration(text, low, high).count()) / 1e9;
  };
  const bool has_default = value >= std::chrono::duration<double>(low).count();
  add_word(*app_, name, "FLOAT", has_default ? fmt::format("{}", value) : "", what, take);
}

void Options::add_number(const std::string& name, Bounds bounds, Setter set,
                         const std::string& shown, const std::string& what) {
  const auto take = [bounds, set = std::move(set)](const std::string& text) {
    const auto parse = bounds.power_of_two ? parse_power_of_two : parse_number;
    set(parse(text, bounds.low, bounds.high));
  };
  add_word(*app_, name, "UINT", shown, what, take);
}

void Options::add_choice(const std::string& name, std::vector<std::string> words,
                         std::function<void(std::size_t)> set, const std::string& what) {
  const auto take = [words = std::move(words), set = std::move(set)](const std::string& text) {
    set(place_among(words, text));
  };
  add_word(*app_, name, "WORD", {}, what, take);
}

void Options::exclude(const std::string& name, const std::string& other) {
  app_->get_option(name)->excludes(app_->get_option(other));
}

void Options::hide(const std::string& name) { app_->get_option(name)->group(""); }

void Options::footer(const std::string& text) { app_->footer(text); }

}  // namespace evring::tool
