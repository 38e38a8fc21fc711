// SPDX-License-Identifier: MIT
// A small io_uring with evring's commands, for the tests.
#pragma once

#include <evring/abi.h>

#include <liburing.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace evring::kernel_test {

/// One io_uring of 32 entries. One thread. Throws std::system_error.
class UringClient {
 public:
  UringClient();
  ~UringClient();
  UringClient(const UringClient&) = delete;
  UringClient& operator=(const UringClient&) = delete;

  void arm(int fd, const evring_arm& request, std::uint64_t user_data);
  void command(int fd, std::uint32_t operation, std::uint64_t user_data);
  /// Ends once, when there is something to read.
  void poll(int fd, std::uint64_t user_data);

  struct Completion {
    std::uint64_t user_data;
    int result;
  };
  /// The next completion, or nothing within `limit`.
  std::optional<Completion> wait(std::chrono::milliseconds limit = std::chrono::seconds(10));

 private:
  io_uring_sqe* prepare(int fd, std::uint32_t operation, std::uint64_t user_data);

  io_uring ring_{};
};

}  // namespace evring::kernel_test
