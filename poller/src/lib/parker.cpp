// SPDX-License-Identifier: MIT
#include "epoll_parker.hpp"
#include "uring_parker.hpp"

#include <evring/poller/parker.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace evring {

Parker::Parker() : interrupt_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!interrupt_fd_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Parker::interrupt() noexcept {
  const int saved = errno;  // we may be inside a signal handler
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(interrupt_fd_.get(), &one, sizeof(one));
  errno = saved;
}

void Parker::clear_interrupt() noexcept {
  std::uint64_t value = 0;
  [[maybe_unused]] const auto got = read(interrupt_fd_.get(), &value, sizeof(value));
}

ArmResult Parker::arm_device(RingLink& link, const ArmRequest& request,
                             std::uint64_t cursor) noexcept {
  try {
    link.device()->arm(request, cursor);
  } catch (const std::system_error&) {
    return ArmResult::kGone;
  }
  return ArmResult::kArmed;
}

void Parker::disarm_device(RingLink& link) noexcept {
  try {
    link.device()->disarm();
  } catch (const std::system_error&) {
    // The device is gone, and its arm with it.
  }
}

WakeCause Parker::cause_of_ready(const RingLink& link, std::uint64_t cursor,
                                 bool hung_up) noexcept {
  if (hung_up) return WakeCause::kGone;
  // A poll cannot say that it was max_idle that rang; an empty ring can.
  return link.is_empty_from(cursor) ? WakeCause::kIdle : WakeCause::kDoorbell;
}

std::unique_ptr<Parker> Parker::make(Rung best_rung) {
  if (best_rung >= Rung::kEpoll) {
    return std::make_unique<EpollParker>("asked for nothing better", best_rung == Rung::kEpoll);
  }
  UringSupport support = probe_io_uring();
  if (support.usable) {
    auto parker = std::make_unique<UringParker>(support, best_rung);
    const int error = parker->open();
    if (error == 0) return parker;
    support.reason = explain_uring_refusal(error);
  }
  return std::make_unique<EpollParker>(support.reason, true);
}

}  // namespace evring
