// SPDX-License-Identifier: MIT
#include "console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

namespace evring::daemon {
namespace {

constexpr std::size_t kWaitingBytesMax = 1 << 20;

/// @return 0 or an errno.
int write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

struct Console::State {
  struct Piece {
    int fd;
    std::string text;
  };

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return has_ended || !waiting.empty(); });
      if (waiting.empty()) return;
      const Piece piece = std::move(waiting.front());
      lock.unlock();
      const int failed = write_whole(piece.fd, piece.text);
      lock.lock();
      waiting.pop_front();
      waiting_bytes -= piece.text.size();
      if (failed != 0 && piece.fd == STDOUT_FILENO) error = failed;
      changed.notify_all();
    }
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Piece> waiting;  ///< the first is being written
  std::size_t waiting_bytes = 0;
  std::size_t dropped_count = 0;
  int error = 0;  ///< the last of standard output
  bool has_ended = false;
};

Console::Console(bool json)
    : json_(json), state_(std::make_shared<State>()), thread_([state = state_] { state->run(); }) {}

Console::~Console() {
  if (thread_.joinable()) finish(std::chrono::steady_clock::now());
}

void Console::line(const std::string& text) {
  say(json_ ? STDERR_FILENO : STDOUT_FILENO, text + '\n');
}

void Console::error(const std::string& text) { say(STDERR_FILENO, "evringd: " + text + '\n'); }

void Console::report(std::string text) { say(STDOUT_FILENO, std::move(text)); }

void Console::say(int fd, std::string text) {
  const std::lock_guard lock(state_->mutex);
  if (state_->waiting_bytes + text.size() > kWaitingBytesMax) {
    ++state_->dropped_count;
    return;
  }
  state_->waiting_bytes += text.size();
  state_->waiting.push_back({fd, std::move(text)});
  state_->changed.notify_all();
}

std::string Console::finish(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(state_->mutex);
  const bool is_written =
      state_->changed.wait_until(lock, deadline, [this] { return state_->waiting.empty(); });
  state_->has_ended = true;
  state_->changed.notify_all();
  const int error = state_->error;
  const std::size_t dropped = state_->dropped_count;
  lock.unlock();
  if (!is_written) {
    thread_.detach();
    return "standard output: nobody took the last report in time; read it";
  }
  thread_.join();
  if (error != 0) {
    return fmt::format("standard output: {}; a report is missing; look at where it goes",
                       std::generic_category().message(error));
  }
  if (dropped != 0) {
    return fmt::format("standard output: {} reports or lines found no room; read it", dropped);
  }
  return "";
}

}  // namespace evring::daemon
