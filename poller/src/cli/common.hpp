// SPDX-License-Identifier: MIT
// What every subcommand of `evring` shares: exit codes, one-line errors, output
// that survives a closed pipe, and Ctrl-C. Main thread unless it says otherwise.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace evring::cli {

using Json = nlohmann::ordered_json;

enum ExitCode : int {
  kFine = 0,
  kError = 1,
  kUsage = 2,
  kLoss = 3,     ///< under --fail-on-loss
  kSkipped = 4,  ///< under --skip-if-absent
};

/// Ends the command with one line on standard error and `code`.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& line, ExitCode code = kError)
      : std::runtime_error(line), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// A line that names the thing, the reason and the remedy: "thing: reason; remedy".
Failure failure(std::string_view thing, std::string_view reason, std::string_view remedy = "");
/// The same for a command line that makes no sense: exit code 2.
Failure usage_error(std::string_view option, std::string_view reason, std::string_view remedy = "");

/// Whoever reads standard output has gone; the command ends quietly.
struct OutputClosed {};

/// Writes to standard output. @throws OutputClosed, Failure (a full disk).
void write_out(std::string_view text);
void flush_out();

template <class... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  write_out(fmt::format(format, std::forward<Args>(args)...));
}

/// One JSON value and a newline; `indent` < 0 for one line.
void print_json(const Json& value, int indent = 2);

/// A line on standard error that is no failure: "evring: …".
void warn(std::string_view line);

/// Ctrl-C and SIGTERM, for commands that run until told to stop.
namespace stop {
/// Installs the handlers; a second Ctrl-C ends the process as usual.
void watch_signals();
/// Any thread.
bool requested() noexcept;
/// As if Ctrl-C had come. Any thread.
void request() noexcept;
/// Calls `action(context)` when Ctrl-C comes, from the signal handler; null: nothing.
void on_request(void (*action)(void*), void* context) noexcept;
/// Readable once requested(); for poll loops. Valid after watch_signals().
int fd() noexcept;
/// Sleeps; ends early when requested. @return requested().
bool sleep_for(std::chrono::nanoseconds duration);
}  // namespace stop

/// What a subcommand registers itself in; `run` is called after parsing.
struct Program {
  CLI::App app;
  std::function<int()> run;

  /// A subcommand whose callback sets run.
  CLI::App* add(const std::string& name, const std::string& what, std::function<int()> body);
};

void add_list(Program& program);
void add_add(Program& program);
void add_remove(Program& program);
void add_inject(Program& program);
void add_watch(Program& program);
void add_stat(Program& program);
void add_stress(Program& program);
void add_bench(Program& program);
void add_doctor(Program& program);

/// "12.3 M", "940", "1.50 k": for tables.
std::string human_count(double value);
/// "1.25 ms", "300 ns".
std::string human_ns(double nanoseconds);

/// The first line of a file, without its newline; empty when it cannot be read.
std::string read_line(const std::string& path);

}  // namespace evring::cli
