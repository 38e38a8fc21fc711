// SPDX-License-Identifier: MIT
// See lease.hpp.
#include "evring/detail/lease.hpp"

#include <fcntl.h>

#include "fork_private.hpp"
#include "system.hpp"

namespace evring {
namespace {

struct flock lock_of(unsigned byte, short type) noexcept {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

bool set_lock(int fd, unsigned byte, short type) noexcept {
  struct flock lock = lock_of(byte, type);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

}  // namespace

/// A lock belongs to an open description, and a fork or a duplicate would share that.
Lease::Lease(int fd, const std::string& what) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  file_ = open_privately([&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); });
  if (!file_) throw_errno(what + ": opening " + path);
}

bool Lease::take(unsigned byte) const noexcept { return set_lock(file_.get(), byte, F_WRLCK); }

bool Lease::share(unsigned byte) const noexcept { return set_lock(file_.get(), byte, F_RDLCK); }

void Lease::give_back(unsigned byte) const noexcept { set_lock(file_.get(), byte, F_UNLCK); }

bool Lease::is_taken(int fd, unsigned byte) noexcept {
  struct flock lock = lock_of(byte, F_WRLCK);
  return ::fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

}  // namespace evring
