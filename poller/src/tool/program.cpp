// SPDX-License-Identifier: MIT
#include "tool/program.hpp"

#include <signal.h>

#include <evring/poller/cpu_list.hpp>
#include <exception>
#include <sstream>
#include <stdexcept>

namespace evring::tool {
namespace {

/// Help and version end well; every other parse result is one line and exit code 2.
int report_parse(const CLI::App& app, const CLI::ParseError& error, const char* first_word) {
  if (error.get_exit_code() == 0) {
    std::ostringstream text;
    app.exit(error, text, text);
    write_out(text.str());
    return kFine;
  }
  const auto chosen = app.get_subcommands();
  const bool has_commands = app.get_require_subcommand_min() != 0;
  if (has_commands && chosen.empty() && first_word != nullptr && first_word[0] != '-') {
    throw usage_error(fmt::format("'{}'", first_word), "no such command",
                      "'evring --help' lists them");
  }
  const std::string command =
      chosen.empty() ? app.get_name() : app.get_name() + " " + chosen.front()->get_name();
  warn(fmt::format("{}; '{} --help' lists what is accepted", error.what(), command));
  return kUsage;
}

int parse_and_run(int argc, char** argv, void (*describe)(Program&)) {
  Program program;
  describe(program);
  try {
    program.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse(program.app, error, argc > 1 ? argv[1] : nullptr);
  }
  return program.run();
}

int code_of(int argc, char** argv, void (*describe)(Program&)) noexcept {
  try {
    return parse_and_run(argc, argv, describe);
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

/// `parse` gives the text that the option then holds.
template <class Parse>
CLI::Validator validator(Parse parse) {
  return CLI::Validator(
      [parse](std::string& text) -> std::string {
        try {
          text = parse(text);
          return "";
        } catch (const std::invalid_argument& error) {
          return error.what();
        }
      },
      "");
}

}  // namespace

CLI::App* Program::add(const std::string& name, const std::string& what,
                       std::function<int()> body) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->fallthrough(false);
  sub->footer("Exit codes: 0 fine, 1 error, 2 usage.");  // else that of the program
  sub->callback([this, body = std::move(body)] { run = body; });
  return sub;
}

int run_program(int argc, char** argv, void (*describe)(Program&)) noexcept {
  hold_standard_descriptors();
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is found out by write_out()
  return close_out(code_of(argc, argv, describe));
}

CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
  return validator([low, high](const std::string& text) {
    return std::to_string(parse_number(text, low, high));
  });
}

CLI::Validator power_of_two(std::uint64_t low, std::uint64_t high) {
  return validator([low, high](const std::string& text) {
    return std::to_string(parse_power_of_two(text, low, high));
  });
}

CLI::Validator duration(std::chrono::nanoseconds low, std::chrono::nanoseconds high) {
  return validator([low, high](const std::string& text) {
    const std::int64_t ns = parse_duration(text, low, high).count();
    return fmt::format("{}.{:09}", ns / 1'000'000'000, ns % 1'000'000'000);
  });
}

RingName ring_of(const std::string& text, bool local) {
  try {
    RingName ring = parse_ring(text);
    ring.is_local = ring.is_local || local;
    return ring;
  } catch (const std::invalid_argument& error) {
    throw Failure(fmt::format("NAME: {}", error.what()), kUsage);
  }
}

std::vector<unsigned> cpus_of(const std::string& option, const std::string& text) {
  try {
    std::vector<unsigned> cpus = parse_cpu_list(text);
    check_allowed(cpus);
    return cpus;
  } catch (const std::invalid_argument& error) {
    throw Failure(fmt::format("{}: {}", option, error.what()), kUsage);
  }
}

}  // namespace evring::tool
