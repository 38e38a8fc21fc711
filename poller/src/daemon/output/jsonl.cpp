// SPDX-License-Identifier: MIT
#include "jsonl.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace evring::daemon {
namespace {

constexpr std::chrono::milliseconds kRetry{200};  ///< a full disk, a pipe without a reader

std::string_view remedy(int error) {
  switch (error) {
    case ENOSPC:
      return "make room there";
    case EDQUOT:
      return "raise the quota, or make room";
    case EFBIG:
      return "raise the limit on file sizes, or begin a new file";
    case ENXIO:
    case EPIPE:
      return "start its reader";
    default:
      return "look at the path and what it lies on";
  }
}

std::string reason(int error) { return std::generic_category().message(error); }

FileDescriptor make_wake_fd() {
  FileDescriptor fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) throw std::system_error(errno, std::generic_category(), "eventfd");
  return fd;
}

}  // namespace

JsonLines::JsonLines(std::string consumer, std::string ring)
    : consumer_(std::move(consumer)), ring_(std::move(ring)) {}

void JsonLines::format(const QueuedEvent& next, LineFile& file) {
  const Position& position = next.position;
  if (!last_) {
    last_ = Position{position.generation, position.start, position.start, 0};
  }
  format_gap(position, file);
  last_->lost = position.lost;
  last_->cursor = position.cursor;
  if (next.is_end) return last_.reset();  // the next ring may have the same generation
  ++last_->cursor;
  begin_line(position).event(next.event, SlotFormat::kFull).end();
  file.add(line_, true);
}

JsonLine JsonLines::begin_line(const Position& position) {
  line_.clear();
  JsonLine line(line_);
  line.text("consumer", consumer_).text("ring", ring_).number("generation", position.generation);
  return line;
}

/// What lies between the last event and the place of this one: lost by the consumer, by
/// its own count; the rest was dropped here.
void JsonLines::format_gap(const Position& position, LineFile& file) {
  const std::uint64_t gap = position.cursor - last_->cursor;
  if (gap == 0) return;
  const std::uint64_t lost = position.lost - last_->lost;
  begin_line(position)
      .number("first", last_->cursor)
      .number("last", position.cursor - 1)
      .number("lost", lost)
      .number("dropped", gap - lost)
      .end();
  file.add(line_, false);
}

JsonlOutput::JsonlOutput(const ConsumerConfig& config, Print print)
    : name_(fmt::format("{}: jsonl:{}", config.name, config.output_path)),
      print_(std::move(print)),
      flush_(config.flush),
      queue_(config.queue_bytes),
      file_(config.output_path),
      lines_(config.name, config.ring),
      wake_fd_(make_wake_fd()) {
  if (file_.is_terminal()) flush_ = std::chrono::microseconds{0};
  thread_ = std::thread([this] { run(); });
}

JsonlOutput::~JsonlOutput() { finish(Clock::now()); }

void JsonlOutput::take(const BurstView& burst) {
  received_.add(burst.size());
  const bool is_open = push_end();
  for (std::size_t i = 0; i < burst.size(); ++i) {
    if (!is_open || !queue_.push(burst[i], burst.position())) refused_.add(1);
  }
}

void JsonlOutput::end_generation(const Position& position) {
  unsent_end_ = position;
  push_end();
}

/// The end of a generation goes before all that follows, or a loss at its end is unseen.
bool JsonlOutput::push_end() noexcept {
  if (unsent_end_ && queue_.push_end(*unsent_end_)) unsent_end_.reset();
  return !unsent_end_;
}

void JsonlOutput::finish(Clock::time_point deadline) {
  if (!thread_.joinable()) return;
  while (!push_end() && Clock::now() < deadline && !is_hurried_.load() && !is_failing_.load()) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  deadline_.store(deadline);
  has_ended_.store(true);
  wake();
  thread_.join();
}

void JsonlOutput::hurry() noexcept {
  is_hurried_.store(true);
  wake();
}

void JsonlOutput::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_fd_.get(), &one, sizeof(one));
}

bool JsonlOutput::is_time_up() const noexcept {
  return is_hurried_.load() || Clock::now() >= deadline_.load();
}

OutputAccount JsonlOutput::account() const {
  OutputAccount account;
  const bool is_done = is_done_.load();
  account.delivered = file_.delivered();
  account.dropped = refused_ + file_.dropped() + given_up_;
  account.torn = file_.torn();
  account.received = received_;
  const std::uint64_t settled = account.delivered + account.dropped;
  account.pending = is_done ? left_ : account.received - std::min(settled, account.received);
  const std::lock_guard lock(mutex_);
  account.failure = failure_;
  return account;
}

void JsonlOutput::run() {
  while (true) {
    const bool is_last = has_ended_.load();  // before the look at the queue
    const bool is_empty = fill();
    const LineFile::Progress progress = file_.write();
    is_failing_.store(progress == LineFile::Progress::kFailed);
    note(file_.error_number());
    const bool is_written = progress == LineFile::Progress::kDone;
    if (is_last && is_written && is_empty) return end(false);
    if (is_last && progress == LineFile::Progress::kFailed) return end(true);
    if (is_last && is_time_up()) return end(false);
    if (!is_written || is_empty) sleep(progress);
  }
}

/// Takes events out of the queue. @return whether that emptied it.
bool JsonlOutput::fill() {
  QueuedEvent event;
  while (!file_.is_full()) {
    if (!queue_.pop(event)) return true;
    lines_.format(event, file_);
  }
  return false;
}

/// Says what has changed about the file.
void JsonlOutput::note(int error) {
  if (error == noted_error_) return;
  noted_error_ = error;
  std::string failure;
  if (error == 0) {
    print_(name_ + " is written again");
  } else {
    failure = fmt::format("{}: {}; {}", name_, reason(error), remedy(error));
    print_(failure + "; events wait in the queue, and are dropped and counted when it is full");
  }
  const std::lock_guard lock(mutex_);
  if (error != 0 || refused_ == 0) failure_ = failure;
}

/// Until there are events to write, or the file may take some, or the end is asked for.
void JsonlOutput::sleep(LineFile::Progress progress) {
  std::array<pollfd, 3> fds{pollfd{wake_fd_.get(), POLLIN, 0}, pollfd{-1, 0, 0}, pollfd{-1, 0, 0}};
  const bool is_idle = progress == LineFile::Progress::kDone;
  std::chrono::milliseconds limit{-1};
  if (is_idle) {
    if (!queue_.arm(flush_)) return;
    fds[1] = {queue_.doorbell_fd(), POLLIN, 0};
    fds[2] = {queue_.timer_fd(), POLLIN, 0};
  } else {
    limit = kRetry;
    if (progress == LineFile::Progress::kBlocked) fds[1] = {file_.fd(), POLLOUT, 0};
  }
  poll(fds.data(), fds.size(), static_cast<int>(limit.count()));
  if (is_idle) queue_.disarm();
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto count = read(wake_fd_.get(), &ignored, sizeof(ignored));
}

/// Counts what is left: lost where the file refused it, pending where nobody took it.
void JsonlOutput::end(bool has_failed) {
  std::uint64_t count = file_.abandon();
  for (QueuedEvent event; queue_.pop(event);) count += event.is_end ? 0 : 1;
  (has_failed ? given_up_ : left_).add(count);
  // A disk that hangs does so here: what is said then is this.
  const std::string before =
      set_failure(name_ + ": storing what was written takes longer than drain_s; look at its disk");
  const int error = file_.close();
  std::string failure;
  if (error != 0) {
    failure = fmt::format("{}: storing it: {}; what was written may be lost", name_, reason(error));
  } else if (has_failed) {
    failure = fmt::format("{}: {}; {}: {} events were not written", name_, reason(noted_error_),
                          remedy(noted_error_), given_up_ + refused_);
  } else if (count != 0) {
    failure =
        fmt::format("{}: nobody took {} events in time; read it, or raise drain_s", name_, count);
  }
  if (failure.empty() && refused_ != 0 && !before.empty()) {
    failure = fmt::format("{}: {} events were dropped meanwhile", before, refused_.get());
  }
  set_failure(failure);
  is_done_.store(true);
}

/// @return what it was before.
std::string JsonlOutput::set_failure(const std::string& failure) {
  const std::lock_guard lock(mutex_);
  return std::exchange(failure_, failure);
}

}  // namespace evring::daemon
