// SPDX-License-Identifier: MIT
// A program run as a user would: arguments, output, signals, status.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace evring {

class Process {
 public:
  /// Starts `arguments[0]` with its output and errors in temporary files. `prepare` is
  /// called in the child just before: limits, environment, another standard output.
  explicit Process(const std::vector<std::string>& arguments,
                   const std::function<void()>& prepare = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const;
  pid_t pid() const noexcept { return child_; }
  /// Waits for its end. @return its exit status, or 128 + the signal that ended it.
  int wait();
  /// What it has written so far.
  std::string output() const { return read(output_path_); }
  std::string errors() const { return read(errors_path_); }

 private:
  static std::string read(const std::string& path);
  pid_t child_ = -1;
  std::string output_path_;
  std::string errors_path_;
};

/// A file in the temporary folder that is removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace evring
