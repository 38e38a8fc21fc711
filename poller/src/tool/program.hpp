// SPDX-License-Identifier: MIT
// From the command line to the exit code: what `evring` and `evring-stress` share of main().
#pragma once

#include <evring/poller/parse.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tool/console.hpp"
#include "tool/options.hpp"

namespace evring::tool {

/// The command line, and what to run once it is parsed.
class Program {
 public:
  Program();
  ~Program();

  /// First: its own options, --help and --version among them, and what runs with no command.
  Options describe(const std::string& name, const std::string& what,
                   std::function<int()> body = nullptr);
  /// A command, and what runs when it is chosen. From then on one must be.
  Options add(const std::string& name, const std::string& what, std::function<int()> body);
  /// A command that is listed and runs nothing here.
  void mention(const std::string& name, const std::string& what);

  /// @return the exit code.
  int run(int argc, char** argv);

 private:
  int report(const CLI::ParseError& error, const char* first_word) const;

  std::unique_ptr<CLI::App> app_;
  std::function<int()> body_;
};

/// The whole of main(): `describe` fills in the program; every way to end is an exit code
/// and, where it is an error, one line on standard error.
int run_program(int argc, char** argv, void (*describe)(Program&)) noexcept;

/// @throws Failure (usage) for what is no ring; `local`: NAME alone is local:NAME.
RingName ring_of(const std::string& text, bool local = false);
/// CPUs by parse_cpu_list() that this process may run on.
/// @throws Failure (usage) for what is no list, std::system_error for what is not allowed.
std::vector<unsigned> cpus_of(const std::string& option, const std::string& text);

}  // namespace evring::tool
