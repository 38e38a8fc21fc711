// SPDX-License-Identifier: MIT
// An owned file descriptor.
#pragma once

#include <utility>

namespace evring {

/// Closed at the end; -1 when empty. Move-only.
///
/// One that is private to this process (a connection that carries a registration, say)
/// is severed in a forked child: the number stays, and hangs up when it is looked at.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        is_fork_private_(std::exchange(other.is_fork_private_, false)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives the descriptor to the caller, who closes it; it is private no more.
  int release() noexcept;

 private:
  friend FileDescriptor keep_from_forks(int fd);
  int fd_ = -1;
  bool is_fork_private_ = false;
};

}  // namespace evring
