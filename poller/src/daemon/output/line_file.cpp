// SPDX-License-Identifier: MIT
#include "line_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace evring::daemon {
namespace {

bool has_no_reader(int error) { return error == ENXIO || error == EPIPE; }

}  // namespace

LineFile::LineFile(std::string path) : path_(std::move(path)) {
  if (!open() && !has_no_reader(errno)) {
    throw std::system_error(errno, std::generic_category(), "opening " + path_);
  }
  if (is_regular_) begin_on_a_new_line();
}

/// O_NONBLOCK, or a pipe without a reader holds us here. @return false: see errno.
bool LineFile::open() {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  fd_ = FileDescriptor(::open(path_.c_str(), kFlags, 0666));
  if (!fd_) return false;
  struct stat status {};
  if (fstat(fd_.get(), &status) != 0) return false;
  is_regular_ = S_ISREG(status.st_mode);
  is_terminal_ = isatty(fd_.get()) == 1;
  return true;
}

/// Whoever wrote before us may have died within a line.
void LineFile::begin_on_a_new_line() {
  const FileDescriptor reader(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  char last = '\n';
  const off_t end = lseek(reader.get(), -1, SEEK_END);
  if (end < 0 || pread(reader.get(), &last, 1, end) != 1 || last == '\n') return;
  add("\n", false);
  torn_.add(1);
}

void LineFile::add(std::string_view line, bool is_event) {
  text_ += line;
  lines_.push_back({text_.size(), is_event});
}

LineFile::Progress LineFile::write() {
  if (text_.empty()) return Progress::kDone;
  if (!fd_ && !open()) return stopped(errno);
  while (sent_ < text_.size()) {
    const ssize_t count = ::write(fd_.get(), text_.data() + sent_, text_.size() - sent_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return stopped(errno);
    sent_ += static_cast<std::size_t>(count);
    count_whole_lines();
  }
  forget_written();
  error_number_ = 0;
  return Progress::kDone;
}

LineFile::Progress LineFile::stopped(int error) {
  const bool is_torn = sent_ != whole_bytes();
  error_number_ = error == EAGAIN ? 0 : error;
  if (error == EAGAIN) {
    forget_written();  // the rest of a torn line goes out first
    return Progress::kBlocked;
  }
  if (is_torn && is_regular_) take_back_torn_line();
  if (is_torn && !is_regular_) drop_torn_line();
  forget_written();
  if (has_no_reader(error)) {
    fd_ = FileDescriptor();
    return Progress::kBlocked;
  }
  return Progress::kFailed;
}

void LineFile::count_whole_lines() noexcept {
  for (; whole_ < lines_.size() && lines_[whole_].end <= sent_; ++whole_) {
    if (lines_[whole_].is_event) delivered_.add(1);
  }
}

/// Cuts the file back to its last whole line, unless somebody else has appended since: then
/// the next line begins on a new one.
void LineFile::take_back_torn_line() {
  const auto torn_bytes = static_cast<off_t>(sent_ - whole_bytes());
  const off_t end = lseek(fd_.get(), 0, SEEK_CUR);  // of our last write
  struct stat status {};
  const bool is_last = end >= torn_bytes && fstat(fd_.get(), &status) == 0 && status.st_size == end;
  sent_ = whole_bytes();
  if (is_last && ftruncate(fd_.get(), end - torn_bytes) == 0) return;
  torn_.add(1);
  text_.insert(sent_, 1, '\n');
  for (std::size_t i = whole_; i < lines_.size(); ++i) ++lines_[i].end;
}

/// A reader has gone with a piece of it; the next one gets whole lines.
void LineFile::drop_torn_line() noexcept {
  torn_.add(1);
  if (lines_[whole_].is_event) dropped_.add(1);
  sent_ = lines_[whole_].end;
  ++whole_;
}

/// Takes what was written whole out of text_.
void LineFile::forget_written() {
  const std::size_t gone = whole_bytes();
  text_.erase(0, gone);
  lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(whole_));
  for (Line& line : lines_) line.end -= gone;
  sent_ -= gone;
  whole_ = 0;
}

std::uint64_t LineFile::abandon() noexcept {
  if (sent_ != whole_bytes()) torn_.add(1);
  const auto count = std::count_if(lines_.begin() + static_cast<std::ptrdiff_t>(whole_),
                                   lines_.end(), [](const Line& line) { return line.is_event; });
  text_.clear();
  lines_.clear();
  sent_ = whole_ = 0;
  return static_cast<std::uint64_t>(count);
}

int LineFile::close() noexcept {
  if (!fd_) return 0;
  int error = 0;
  // What cannot be synchronised, a pipe or a terminal, says EINVAL.
  if (fdatasync(fd_.get()) != 0 && errno != EINVAL && errno != EROFS) error = errno;
  if (::close(fd_.release()) != 0 && error == 0) error = errno;
  if (error == 0) return 0;
  dropped_.add(delivered_);
  delivered_.set(0);
  error_number_ = error;
  return error;
}

}  // namespace evring::daemon
