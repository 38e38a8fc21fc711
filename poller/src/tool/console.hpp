// SPDX-License-Identifier: MIT
// What the commands say and how they end: exit codes, one-line errors, standard output
// that survives a closed pipe and admits a full disk. Main thread unless it says otherwise.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace evring::tool {

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
/// Lets `print` print what led to `code`. A reader that has left changes no verdict.
/// @return `code`.
int report(int code, const std::function<void()>& print);
/// The end of standard output, whatever became of the command: what is buffered is written,
/// and `code` is no longer kFine where that could not be.
int close_out(int code) noexcept;
/// Opens what of standard input, output and error is closed, so that no other file gets its
/// number; to read or write it stays the error that it was.
void hold_standard_descriptors() noexcept;

template <class... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  write_out(fmt::format(format, std::forward<Args>(args)...));
}

/// One JSON value and a newline; `indent` < 0 for one line.
void print_json(const Json& value, int indent = 2);

/// A line on standard error that is no failure: "evring: …".
void warn(std::string_view line) noexcept;

/// "12.3 M", "940", "1.50 k": for tables.
std::string human_count(double value);
/// "1.25 ms", "300 ns".
std::string human_ns(double nanoseconds);

/// The first line of a file, without its newline; empty when it cannot be read.
std::string read_line(const std::string& path);

}  // namespace evring::tool
