// SPDX-License-Identifier: MIT
// From the command line to the exit code: what `evring` and `evring-stress` share of
// main(), and the checks of options, which are those of evring/poller/parse.hpp.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <evring/poller/parse.hpp>
#include <functional>
#include <string>

#include "tool/console.hpp"

namespace evring::tool {

/// The command line, and what to run once it is parsed.
struct Program {
  CLI::App app;
  std::function<int()> run;

  /// A subcommand whose callback sets run.
  CLI::App* add(const std::string& name, const std::string& what, std::function<int()> body);
};

/// The whole of main(): `describe` fills in the program; every way to end is an exit code
/// and, where it is an error, one line on standard error.
int run_program(int argc, char** argv, void (*describe)(Program&)) noexcept;

/// As parse_number(), parse_power_of_two() and parse_duration() say. A number or a time is
/// handed on in digits, so that it is read one way; a time in seconds.
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high);
CLI::Validator power_of_two(std::uint64_t low, std::uint64_t high);
CLI::Validator duration(std::chrono::nanoseconds low, std::chrono::nanoseconds high);

/// @throws Failure (usage) for what is no ring; `local`: NAME alone is local:NAME.
RingName ring_of(const std::string& text, bool local = false);
/// CPUs by parse_cpu_list() that this process may run on.
/// @throws Failure (usage) for what is no list, std::system_error for what is not allowed.
std::vector<unsigned> cpus_of(const std::string& option, const std::string& text);

}  // namespace evring::tool
