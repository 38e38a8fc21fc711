// SPDX-License-Identifier: MIT
// Lines on their way into a file, a pipe or a terminal. A file at rest ends with a whole
// line: what a full disk has cut short is taken back, and written again when there is
// room. A pipe is never waited for in a system call: whoever calls write() may wait on fd().
#pragma once

#include <evring/local_ring.hpp>
#include <evring/poller/counters.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace evring::daemon {

class LineFile {
 public:
  enum class Progress : std::uint8_t {
    kDone,     ///< nothing is left to write
    kBlocked,  ///< a pipe is full or has no reader; what is left is kept
    kFailed,   ///< see error_number(); what is left is kept
  };

  /// Appends to `path`, and makes it where it is not there. A pipe may have its reader
  /// later. @throws std::system_error naming the path.
  explicit LineFile(std::string path);

  /// Adds a line, its newline included, to what is to be written.
  void add(std::string_view line, bool is_event);
  /// Whether so much waits that more should not be added now.
  bool is_full() const noexcept { return text_.size() >= kTextBytesMax; }
  /// Writes what was added, as far as it goes.
  Progress write();
  /// Has what was written stored, and closes. @return 0 or an errno; then what was
  /// delivered before may be lost, and counts as dropped.
  int close() noexcept;
  /// Forgets what waits: nobody will write it any more. @return how many events that are.
  std::uint64_t abandon() noexcept;

  /// To poll for POLLOUT on after kBlocked; -1: nothing to wait on, try again later.
  int fd() const noexcept { return is_regular_ ? -1 : fd_.get(); }
  bool is_terminal() const noexcept { return is_terminal_; }
  const std::string& path() const noexcept { return path_; }
  /// What stopped the last write(); 0: nothing, or a pipe that is full.
  int error_number() const noexcept { return error_number_; }

  /// Event lines, by any thread: written whole; lost here but for abandon().
  std::uint64_t delivered() const noexcept { return delivered_; }
  std::uint64_t dropped() const noexcept { return dropped_; }
  /// Lines that are cut short in the file, or were in what a reader got.
  std::uint64_t torn() const noexcept { return torn_; }

 private:
  struct Line {
    std::size_t end;  ///< in text_
    bool is_event;
  };
  static constexpr std::size_t kTextBytesMax = 1 << 16;

  bool open();
  void begin_on_a_new_line();
  Progress stopped(int error);
  void count_whole_lines() noexcept;
  void take_back_torn_line();
  void drop_torn_line() noexcept;
  std::size_t whole_bytes() const noexcept { return whole_ == 0 ? 0 : lines_[whole_ - 1].end; }
  void forget_written();

  std::string path_;
  FileDescriptor fd_;
  bool is_regular_ = false;
  bool is_terminal_ = false;
  int error_number_ = 0;
  std::string text_;
  std::vector<Line> lines_;
  std::size_t sent_ = 0;   ///< bytes of text_ that were written
  std::size_t whole_ = 0;  ///< lines_ that were written whole
  Counter delivered_, dropped_, torn_;
};

}  // namespace evring::daemon
