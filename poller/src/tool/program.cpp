// SPDX-License-Identifier: MIT
#include "tool/program.hpp"

#include <signal.h>

#include <CLI/CLI.hpp>

#include <evring/poller/cpu_list.hpp>
#include <exception>
#include <sstream>
#include <stdexcept>

namespace evring::tool {
namespace {

int code_of(int argc, char** argv, void (*describe)(Program&)) noexcept {
  try {
    Program program;
    describe(program);
    return program.run(argc, argv);
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

}  // namespace

Program::Program() : app_(std::make_unique<CLI::App>()) {}
Program::~Program() = default;

Options Program::describe(const std::string& name, const std::string& what,
                          std::function<int()> body) {
  app_->name(name);
  app_->description(what);
  app_->set_version_flag("--version", "evring " EVRING_VERSION);
  app_->set_help_flag("--help,-h", "Print this and exit");
  body_ = std::move(body);
  return Options(*app_);
}

Options Program::add(const std::string& name, const std::string& what, std::function<int()> body) {
  CLI::App* sub = app_->add_subcommand(name, what);
  sub->fallthrough(false);
  sub->footer("Exit codes: 0 fine, 1 error, 2 usage.");  // else that of the program
  sub->callback([this, body = std::move(body)] { body_ = body; });
  app_->require_subcommand(1);
  return Options(*sub);
}

void Program::mention(const std::string& name, const std::string& what) {
  app_->add_subcommand(name, what);
}

/// Help and version end well; every other parse result is one line and exit code 2.
int Program::report(const CLI::ParseError& error, const char* first_word) const {
  if (error.get_exit_code() == 0) {
    std::ostringstream text;
    app_->exit(error, text, text);
    write_out(text.str());
    return kFine;
  }
  const auto chosen = app_->get_subcommands();
  const bool has_commands = app_->get_require_subcommand_min() != 0;
  if (has_commands && chosen.empty() && first_word != nullptr && first_word[0] != '-') {
    throw usage_error(fmt::format("'{}'", first_word), "no such command",
                      "'evring --help' lists them");
  }
  const std::string command =
      chosen.empty() ? app_->get_name() : app_->get_name() + " " + chosen.front()->get_name();
  warn(fmt::format("{}; '{} --help' lists what is accepted", error.what(), command));
  return kUsage;
}

int Program::run(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report(error, argc > 1 ? argv[1] : nullptr);
  }
  return body_();
}

int run_program(int argc, char** argv, void (*describe)(Program&)) noexcept {
  hold_standard_descriptors();
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is found out by write_out()
  return close_out(code_of(argc, argv, describe));
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
