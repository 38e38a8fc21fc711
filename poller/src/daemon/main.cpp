// SPDX-License-Identifier: MIT
// evringd: pinned consumers from a TOML file, until SIGINT, SIGTERM or SIGHUP; then it
// drains and prints the balance of each. Here: arguments; the rest is in service.hpp.
// Exit codes: 0 fine, 1 error, 2 usage or configuration, 3 loss under --fail-on-loss.
#include "config.hpp"
#include "console.hpp"
#include "service.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

namespace evring::daemon {
namespace {

constexpr std::chrono::seconds kLastWords{1};  ///< for whoever reads the last report

struct Arguments {
  std::string config_path;
  bool check = false;
  bool json = false;
  bool fail_on_loss = false;
};

int run(const Config& config) {
  block_signals();
  Console console(config.json);
  const int code = run_service(config, console);
  const std::string trouble = console.finish(std::chrono::steady_clock::now() + kLastWords);
  if (trouble.empty()) return code;
  fmt::print(stderr, "evringd: {}\n", trouble);
  return kError;
}

int check(const Config& config, const std::string& path) {
  Console console(false);
  console.line(fmt::format("{}: fine, {} consumer{}", path, config.consumers.size(),
                           config.consumers.size() == 1 ? "" : "s"));
  const std::string trouble = console.finish(std::chrono::steady_clock::now() + kLastWords);
  if (!trouble.empty()) fmt::print(stderr, "evringd: {}\n", trouble);
  return trouble.empty() ? kFine : kError;
}

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("config", arguments.config_path, "TOML file, see evringd.toml(5)")->required();
  app.add_flag("--check", arguments.check, "Check the file and start nothing");
  app.add_flag("--json", arguments.json, "Reports as JSON, one object per line");
  app.add_flag("--fail-on-loss", arguments.fail_on_loss, "Exit with 3 when a consumer lost events");
  app.set_version_flag("--version", std::string("evringd ") + EVRING_VERSION);
  app.footer(
      "SIGINT, SIGTERM, SIGHUP: drain, print the balance, end; again: at once. SIGUSR1: report.\n"
      "Exit codes: 0 fine, 1 error, 2 usage or configuration, 3 loss under --fail-on-loss.");
}

int main_of(int argc, char** argv) {
  CLI::App app("evringd runs pinned consumers of event rings.", "evringd");
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error) == 0 ? kFine : kUsage;
    return std::cout.flush() ? code : kError;  // help that a full disk has swallowed
  }
  try {
    Config config = read_config(arguments.config_path);
    config.json = config.json || arguments.json;
    config.fail_on_loss = config.fail_on_loss || arguments.fail_on_loss;
    return arguments.check ? check(config, arguments.config_path) : run(config);
  } catch (const ConfigError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "evringd: {}\n", error.what());
    return kError;
  }
}

}  // namespace
}  // namespace evring::daemon

int main(int argc, char** argv) { return evring::daemon::main_of(argc, argv); }
