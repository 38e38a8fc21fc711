// SPDX-License-Identifier: MIT
// See common.hpp.
#include "common.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace evring::cli {
namespace {

std::string join(std::string_view thing, std::string_view reason, std::string_view remedy) {
  std::string line = fmt::format("{}: {}", thing, reason);
  if (!remedy.empty()) line += fmt::format("; {}", remedy);
  return line;
}

[[noreturn]] void output_failed() {
  if (errno == EPIPE) throw OutputClosed{};
  throw failure("standard output", std::strerror(errno));
}

std::atomic<bool> stop_requested{false};
int stop_fd = -1;
std::atomic<void (*)(void*)> stop_action{nullptr};
std::atomic<void*> stop_context{nullptr};

void on_signal(int) { stop::request(); }

}  // namespace

Failure failure(std::string_view thing, std::string_view reason, std::string_view remedy) {
  return Failure(join(thing, reason, remedy));
}

Failure usage_error(std::string_view option, std::string_view reason, std::string_view remedy) {
  return Failure(join(option, reason, remedy), kUsage);
}

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) output_failed();
}

void flush_out() {
  if (std::fflush(stdout) != 0) output_failed();
}

void print_json(const Json& value, int indent) {
  write_out(value.dump(indent, ' ', false, Json::error_handler_t::replace));
  write_out("\n");
}

void warn(std::string_view line) {
  const std::string whole = fmt::format("evring: {}\n", line);
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

namespace stop {

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

bool sleep_for(std::chrono::nanoseconds duration) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + duration;
  while (!requested()) {
    const auto left = until - Clock::now();
    if (left <= left.zero()) break;
    const auto left_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    const timespec time{static_cast<time_t>(left_ns / 1'000'000'000), left_ns % 1'000'000'000};
    pollfd waiting{stop_fd, POLLIN, 0};
    ppoll(&waiting, stop_fd >= 0 ? 1 : 0, &time, nullptr);
  }
  return requested();
}

}  // namespace stop

CLI::App* Program::add(const std::string& name, const std::string& what,
                       std::function<int()> body) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->fallthrough(false);
  sub->callback([this, body = std::move(body)] { run = body; });
  return sub;
}

std::string human_count(double value) {
  if (std::abs(value) >= 1e9) return fmt::format("{:.2f} G", value / 1e9);
  if (std::abs(value) >= 1e6) return fmt::format("{:.2f} M", value / 1e6);
  if (std::abs(value) >= 1e4) return fmt::format("{:.1f} k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

std::string human_ns(double nanoseconds) {
  if (nanoseconds >= 1e9) return fmt::format("{:.2f} s", nanoseconds / 1e9);
  if (nanoseconds >= 1e6) return fmt::format("{:.2f} ms", nanoseconds / 1e6);
  if (nanoseconds >= 1e4) return fmt::format("{:.1f} us", nanoseconds / 1e3);
  if (nanoseconds >= 100) return fmt::format("{:.0f} ns", nanoseconds);
  return fmt::format("{:.1f} ns", nanoseconds);
}

std::string read_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace evring::cli
