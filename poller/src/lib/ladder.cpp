// SPDX-License-Identifier: MIT
#include "uring.hpp"

#include <evring/poller/ladder.hpp>
#include <evring/poller/options.hpp>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

namespace evring {
namespace {

constexpr std::array kStrategyNames = {"busy-spin", "yield", "adaptive", "park"};

/// kernel.io_uring_disabled, or -1 where the kernel has no such switch.
int read_disabled_switch() {
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");
  int value = -1;
  return file >> value ? value : -1;
}

}  // namespace

std::string explain_uring_refusal(int error) {
  const int disabled = read_disabled_switch();
  switch (error) {
    case EPERM:
    case EACCES:
      if (disabled == 2) {
        return "io_uring is switched off for all: kernel.io_uring_disabled = 2; set it to 0";
      }
      if (disabled == 1) {
        return "io_uring is switched off for the unprivileged: kernel.io_uring_disabled = 1; set "
               "it "
               "to 0, or join kernel.io_uring_group";
      }
      return "io_uring is refused (EPERM): a seccomp filter, as containers have; allow "
             "io_uring_setup, io_uring_enter and io_uring_register in its profile";
    case ENOSYS:
      return "io_uring is not there (ENOSYS): a seccomp filter hides it, or the kernel is built "
             "without CONFIG_IO_URING";
    case ENOMEM:
      return "io_uring gets no memory (ENOMEM): raise the memlock limit (ulimit -l)";
    case EMFILE:
    case ENFILE:
      return "io_uring gets no descriptor: raise the limit on open files (ulimit -n)";
    default:
      return "io_uring is refused: " + std::generic_category().message(error);
  }
}

const char* to_string(Rung rung) noexcept {
  switch (rung) {
    case Rung::kUringCommand:
      return "io_uring command";
    case Rung::kUringPoll:
      return "io_uring poll";
    case Rung::kEpoll:
      return "epoll";
    case Rung::kSpin:
      break;
  }
  return "spinning";
}

const char* to_string(WaitStrategy strategy) noexcept {
  return kStrategyNames[static_cast<std::size_t>(strategy)];
}

std::optional<WaitStrategy> parse_wait_strategy(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kStrategyNames.size(); ++i) {
    if (text == kStrategyNames[i]) return static_cast<WaitStrategy>(i);
  }
  return std::nullopt;
}

UringSupport probe_io_uring() {
  UringSupport support;
  Uring ring;
  int error = ring.open(8);
  if (error == 0) error = ring.try_nop();  // a filter may stop it here only
  if (error != 0) {
    support.error = error;
    support.reason = explain_uring_refusal(error);
    return support;
  }
  support.usable = ring.supports(IORING_OP_POLL_ADD) && ring.has_timed_wait();
  support.single_issuer = (ring.setup_flags() & IORING_SETUP_SINGLE_ISSUER) != 0;
  support.defer_taskrun = (ring.setup_flags() & IORING_SETUP_DEFER_TASKRUN) != 0;
  support.poll_multishot = ring.has_multishot_poll();
  support.uring_command = ring.supports(IORING_OP_URING_CMD);
  if (!support.usable) {
    support.error = EOPNOTSUPP;
    support.reason = "this kernel's io_uring is older than 5.13 and lacks multishot poll";
  } else {
    support.reason = support.defer_taskrun ? "io_uring, single issuer with deferred task work"
                                           : "io_uring, without deferred task work (before 6.1)";
  }
  return support;
}

}  // namespace evring
