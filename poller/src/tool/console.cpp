// SPDX-License-Identifier: MIT
#include "tool/console.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace evring::tool {
namespace {

bool output_has_failed = false;  // and somebody was told

std::string join(std::string_view thing, std::string_view reason, std::string_view remedy) {
  std::string line = fmt::format("{}: {}", thing, reason);
  if (!remedy.empty()) line += fmt::format("; {}", remedy);
  return line;
}

[[noreturn]] void output_failed() {
  output_has_failed = true;
  if (errno == EPIPE) throw OutputClosed{};
  throw failure("standard output", std::strerror(errno));
}

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

int report(int code, const std::function<void()>& print) {
  try {
    print();
  } catch (const OutputClosed&) {
  }
  return code;
}

int close_out(int code) noexcept {
  int error = std::ferror(stdout) != 0 ? EIO : 0;
  if (std::fflush(stdout) != 0) error = errno;
  if (std::fclose(stdout) != 0 && error == 0) error = errno;  // some file systems say only now
  if (error == 0 || error == EPIPE || output_has_failed) return code;
  warn(std::string("standard output: ") + std::strerror(error));
  return code == kFine ? kError : code;
}

void hold_standard_descriptors() noexcept {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest number that is free: this one.
    if (::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

void print_json(const Json& value, int indent) {
  write_out(value.dump(indent, ' ', false, Json::error_handler_t::replace));
  write_out("\n");
}

void warn(std::string_view line) noexcept {
  std::fprintf(stderr, "evring: %.*s\n", static_cast<int>(line.size()), line.data());
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

}  // namespace evring::tool
