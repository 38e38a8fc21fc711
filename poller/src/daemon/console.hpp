// SPDX-License-Identifier: MIT
// What evringd says, on standard output and standard error. A thread of its own writes
// it, so that a full disk or a reader that stopped keeps nobody from anything.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace evring::daemon {

class Console {
 public:
  /// @param json  standard output is for reports alone.
  explicit Console(bool json);
  /// What is not written yet by finish() is lost.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// A line for people, an error, a report as it is. Any thread; never blocks.
  void line(const std::string& text);
  void error(const std::string& text);
  void report(std::string text);

  /// Waits until all is written, until `deadline` at most.
  /// @return empty, or what became of it: "standard output: reason; remedy".
  std::string finish(std::chrono::steady_clock::time_point deadline);

 private:
  struct State;
  void say(int fd, std::string text);

  bool json_;
  std::shared_ptr<State> state_;  ///< the thread's too, should it never come back
  std::thread thread_;
};

}  // namespace evring::daemon
