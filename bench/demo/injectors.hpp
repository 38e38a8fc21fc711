// SPDX-License-Identifier: MIT
// Processes that hammer a soft device by ioctl.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace evring::demo {

/// What all of them did together.
struct Injected {
  std::uint64_t offered = 0;
  std::uint64_t published = 0;
  std::uint64_t dropped = 0;
  bool all_ended_well = true;

  bool holds() const noexcept { return all_ended_well && published + dropped == offered; }
};

/// Forks in the constructor, before this process has threads.
class Injectors {
 public:
  /// @throws std::system_error when there is no memory or no process to be had.
  Injectors(const std::string& device, unsigned count);
  ~Injectors();
  Injectors(const Injectors&) = delete;
  Injectors& operator=(const Injectors&) = delete;

  void go();
  /// Waits for all of them to end.
  Injected stop();

 private:
  struct Shared;
  void run(const std::string& device, unsigned index);

  Shared* shared_;
  std::vector<pid_t> children_;
};

}  // namespace evring::demo
