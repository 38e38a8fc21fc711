// SPDX-License-Identifier: MIT
// The command `evring`: parses the command line, runs one subcommand, turns what
// went wrong into one line and an exit code.
#include <signal.h>

#include <cstdio>
#include <exception>

#include "common.hpp"

namespace evring::cli {
namespace {

void add_subcommands(Program& program) {
  CLI::App& app = program.app;
  app.description("Event rings: kernel devices and local rings");
  app.name("evring");
  app.set_version_flag("--version", "evring " EVRING_VERSION);
  app.set_help_flag("--help,-h", "Print this and exit");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 fine, 1 error, 2 usage, 3 loss under --fail-on-loss, 4 skipped.\n"
      "'evring COMMAND --help' and 'man evring-COMMAND' say more.");
  add_list(program);
  add_add(program);
  add_remove(program);
  add_inject(program);
  add_watch(program);
  add_stat(program);
  add_stress(program);
  add_bench(program);
  add_doctor(program);
}

/// Help and version end well; every other parse result is one line and exit code 2.
int report_parse(const CLI::App& app, const CLI::ParseError& error, const char* first_word) {
  if (error.get_exit_code() == 0) {
    const int code = app.exit(error);
    flush_out();
    return code;
  }
  const auto chosen = app.get_subcommands();
  if (chosen.empty() && first_word != nullptr && first_word[0] != '-') {
    throw usage_error(fmt::format("'{}'", first_word), "no such command",
                      "'evring --help' lists them");
  }
  const std::string command = chosen.empty() ? "evring" : "evring " + chosen.front()->get_name();
  warn(fmt::format("{}; '{} --help' lists what is accepted", error.what(), command));
  return kUsage;
}

int run_command(int argc, char** argv) {
  Program program;
  add_subcommands(program);
  try {
    program.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse(program.app, error, argc > 1 ? argv[1] : nullptr);
  }
  const int code = program.run();
  flush_out();
  return code;
}

}  // namespace
}  // namespace evring::cli

int main(int argc, char** argv) {
  using namespace evring::cli;
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is found out by write_out()
  try {
    return run_command(argc, argv);
  } catch (const OutputClosed&) {
    return kFine;
  } catch (const Failure& error) {
    warn(error.what());
    return error.code();
  } catch (const std::exception& error) {
    warn(error.what());
    return kError;
  }
}
