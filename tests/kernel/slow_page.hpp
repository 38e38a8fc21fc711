// SPDX-License-Identifier: MIT
// User memory that takes as long to be there as a test wants: it faults in userfaultfd.
#pragma once

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace evring::kernel_test {

constexpr std::size_t kPageBytes = 4096;

/// A page that can be read; the first write to it waits for release().
class SlowPage {
 public:
  SlowPage() {
    memory_ =
        ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory_ != MAP_FAILED);
    fd_ = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
    check(fd_ >= 0);
    uffdio_api api{UFFD_API, UFFD_FEATURE_PAGEFAULT_FLAG_WP, 0};
    check(::ioctl(fd_, UFFDIO_API, &api) == 0);
  }
  void* memory() const { return memory_; }

  /// After what is read from it was written.
  void protect() {
    std::memset(static_cast<char*>(memory_) + kPageBytes / 2, 1, 1);
    uffdio_register range{{address(), kPageBytes}, UFFDIO_REGISTER_MODE_WP, 0};
    check(::ioctl(fd_, UFFDIO_REGISTER, &range) == 0);
    set_protection(UFFDIO_WRITEPROTECT_MODE_WP);
  }
  void wait_for_fault() const {
    uffd_msg message;
    check(::read(fd_, &message, sizeof(message)) == sizeof(message));
  }
  void release() const { set_protection(0); }

 private:
  std::uint64_t address() const { return reinterpret_cast<std::uintptr_t>(memory_); }
  void set_protection(std::uint64_t mode) const {
    uffdio_writeprotect request{{address(), kPageBytes}, mode};
    check(::ioctl(fd_, UFFDIO_WRITEPROTECT, &request) == 0);
  }
  static void check(bool worked) {
    if (!worked) throw std::system_error(errno, std::generic_category(), "userfaultfd");
  }

  void* memory_;
  int fd_ = -1;
};

}  // namespace evring::kernel_test
