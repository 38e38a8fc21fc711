// SPDX-License-Identifier: MIT
// The ladder of wake-ups, best first, and what this machine offers of it.
#pragma once

#include <cstdint>
#include <string>

namespace evring {

/// How the doorbell of a ring reaches a parked poller.
enum class Rung : std::uint8_t {
  kUringCommand,  ///< io_uring command of evring.ko: arm, moderation and sleep in one call
  kUringPoll,     ///< io_uring poll on the ring's descriptor
  kEpoll,         ///< epoll on the ring's descriptor
  kSpin,          ///< no doorbell: the ring is looked at, never slept on
};

/// "io_uring command", "io_uring poll", "epoll", "spinning".
const char* to_string(Rung rung) noexcept;

/// The rung that a ring got, and why not a better one (or why this is the best).
struct RungChoice {
  Rung rung = Rung::kSpin;
  std::string reason;
};

/// What io_uring can do in this process, found by trying.
struct UringSupport {
  bool usable = false;
  bool single_issuer = false;  ///< IORING_SETUP_SINGLE_ISSUER
  bool defer_taskrun = false;  ///< IORING_SETUP_DEFER_TASKRUN
  bool poll_multishot = false;
  bool uring_command = false;  ///< the opcode; a driver must take it too
  int error = 0;               ///< errno of the refusal when not usable
  std::string reason;          ///< one line: what was found, or the cause and the remedy
};

/// Tries io_uring once more on each call; a few system calls. Any thread.
UringSupport probe_io_uring();

}  // namespace evring
