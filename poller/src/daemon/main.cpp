// SPDX-License-Identifier: MIT
// evringd: pinned consumers from a TOML file, until SIGINT or SIGTERM; then it
// drains and prints the balance of each.
// Exit codes: 0 fine, 1 error, 2 usage or configuration, 3 loss under --fail-on-loss.
#include "config.hpp"
#include "notify.hpp"
#include "report.hpp"
#include "worker.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>

namespace evring::daemon {
namespace {

enum ExitCode { kFine = 0, kError = 1, kUsage = 2, kLoss = 3 };

struct Arguments {
  std::string config_path;
  bool check = false;
  bool json = false;
  bool fail_on_loss = false;
};

/// Lines for people go to standard error under --json, so that output stays JSON.
class Console {
 public:
  explicit Console(bool json) : json_(json) {}
  void line(const std::string& text) {
    const std::lock_guard lock(mutex_);
    fmt::print(json_ ? stderr : stdout, "{}\n", text);
    std::fflush(json_ ? stderr : stdout);
  }
  void report(const Workers& workers, bool is_final) {
    const std::lock_guard lock(mutex_);
    const std::string text = json_ ? format_json(workers, is_final) : format_table(workers);
    fmt::print(stdout, "{}", text);
    std::fflush(stdout);
  }

 private:
  bool json_;
  std::mutex mutex_;
};

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread
  return signals;
}

/// Waits for the signal to end, with a report now and then. SIGUSR1 asks for one, and
/// is what a failed worker sends.
void wait_for_end(const sigset_t& signals, const Config& config, Console& console,
                  const Workers& workers, const std::atomic<bool>& failed) {
  const timespec interval{config.report.count() == 0 ? 3600 : config.report.count(), 0};
  while (!failed.load()) {
    const int number = sigtimedwait(&signals, nullptr, &interval);
    if (number == SIGINT || number == SIGTERM) return;
    if (number == SIGUSR1 || config.report.count() != 0) console.report(workers, false);
  }
}

int finish(const Config& config, Console& console, const Workers& workers) {
  for (const auto& worker : workers) worker->request_stop();
  for (const auto& worker : workers) worker->join();
  console.report(workers, true);
  int code = kFine;
  for (const auto& worker : workers) {
    const Account account = worker->account();
    if (account.lost != 0 && config.fail_on_loss && code == kFine) code = kLoss;
    if (!account.balanced()) code = kError;
    if (worker->failure().empty()) continue;
    fmt::print(stderr, "evringd: {}: {}\n", worker->config().name, worker->failure());
    code = kError;
  }
  return code;
}

int run(const Config& config) {
  const sigset_t signals = block_signals();
  Console console(config.json);
  std::atomic<bool> failed{false};
  Workers workers;
  for (const ConsumerConfig& consumer : config.consumers) {
    workers.push_back(std::make_unique<Worker>(
        consumer, [&console](const std::string& text) { console.line(text); }));
  }
  const pthread_t main_thread = pthread_self();
  for (const auto& worker : workers) {
    worker->start([&failed, main_thread] {
      failed.store(true);
      pthread_kill(main_thread, SIGUSR1);
    });
  }
  notify_manager("READY=1");
  wait_for_end(signals, config, console, workers, failed);
  notify_manager("STOPPING=1");
  return finish(config, console, workers);
}

int check(const Config& config, const std::string& path) {
  fmt::print("{}: fine, {} consumer{}\n", path, config.consumers.size(),
             config.consumers.size() == 1 ? "" : "s");
  return kFine;
}

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("config", arguments.config_path, "TOML file, see evringd.toml(5)")->required();
  app.add_flag("--check", arguments.check, "Check the file and start nothing");
  app.add_flag("--json", arguments.json, "Reports as JSON, one object per line");
  app.add_flag("--fail-on-loss", arguments.fail_on_loss, "Exit with 3 when a consumer lost events");
  app.set_version_flag("--version", std::string("evringd ") + EVRING_VERSION);
  app.footer(
      "SIGINT or SIGTERM: drain, print the balance, end. SIGUSR1: report now.\n"
      "Exit codes: 0 fine, 1 error, 2 usage or configuration, 3 loss under --fail-on-loss.");
}

int main_of(int argc, char** argv) {
  CLI::App app("evringd runs pinned consumers of event rings.", "evringd");
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kFine : kUsage;
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
