// SPDX-License-Identifier: MIT
#include "tool/stop.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "tool/console.hpp"

namespace evring::tool::stop {
namespace {

std::atomic<bool> stop_requested{false};
int stop_fd = -1;
std::atomic<void (*)(void*)> stop_action{nullptr};
std::atomic<void*> stop_context{nullptr};

void on_signal(int) { request(); }

}  // namespace

void watch_signals() {
  if (stop_fd >= 0) return;
  stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_fd < 0) throw failure("eventfd", std::strerror(errno));
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);  // a write goes on
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool requested() noexcept { return stop_requested.load(std::memory_order_relaxed); }

void request() noexcept {
  const int saved_errno = errno;
  stop_requested.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  if (stop_fd >= 0) [[maybe_unused]]
    const auto written = write(stop_fd, &one, sizeof(one));
  if (auto* action = stop_action.load()) action(stop_context.load());
  errno = saved_errno;
}

void on_request(void (*action)(void*), void* context) noexcept {
  stop_action.store(nullptr);
  stop_context.store(context);
  stop_action.store(action);
  if (action != nullptr && requested()) action(context);
}

int fd() noexcept { return stop_fd; }

bool sleep_until(std::chrono::steady_clock::time_point when) {
  while (!requested()) {
    const auto left = when - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    const auto left_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    const timespec time{static_cast<time_t>(left_ns / 1'000'000'000), left_ns % 1'000'000'000};
    pollfd waiting{stop_fd, POLLIN, 0};
    ppoll(&waiting, stop_fd >= 0 ? 1 : 0, &time, nullptr);
  }
  return requested();
}

bool sleep_for(std::chrono::nanoseconds duration) {
  return sleep_until(std::chrono::steady_clock::now() + duration);
}

}  // namespace evring::tool::stop
