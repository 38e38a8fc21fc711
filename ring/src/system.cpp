// SPDX-License-Identifier: MIT
// See system.hpp.
#include "system.hpp"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace evring {

FileDescriptor make_memory_file(const std::string& name, std::uint64_t bytes, bool huge_pages) {
  const unsigned flags = MFD_ALLOW_SEALING | MFD_CLOEXEC | (huge_pages ? MFD_HUGETLB : 0U);
  FileDescriptor file(::memfd_create(name.c_str(), flags));
  if (!file) throw_errno(name + ": memfd_create");
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) {
    throw_errno(name + ": ftruncate to " + std::to_string(bytes) + " bytes");
  }
  // Memory that is not there must fail here, not as SIGBUS at some later store.
  if (uninterrupted([&] { return ::fallocate(file.get(), 0, 0, static_cast<off_t>(bytes)); }) !=
      0) {
    throw_errno(name + ": fallocate of " + std::to_string(bytes) + " bytes");
  }
  return file;
}

void* map_shared(int fd, std::uint64_t bytes, int protection, const std::string& what) {
  const int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
  void* memory = ::mmap(nullptr, bytes, protection, flags, fd, 0);
  if (memory == MAP_FAILED) throw_errno(what + ": mmap of " + std::to_string(bytes) + " bytes");
  return memory;
}

bool register_cheap_barrier() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

bool expensive_barrier() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0;
}

void set_timer(int fd, std::uint64_t wake_us) noexcept {
  constexpr std::uint64_t kLongestUs = 3'600'000'000;  // a hostile page may ask for anything
  const std::uint64_t us = std::min(wake_us, kLongestUs);
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(us / 1'000'000);
  when.it_value.tv_nsec = static_cast<long>(us % 1'000'000) * 1000;
  ::timerfd_settime(fd, 0, &when, nullptr);
}

bool drain(int fd) noexcept {
  std::array<std::uint64_t, 512> counts;  // the pipe's whole page
  return ::read(fd, counts.data(), sizeof(counts)) > 0;
}

void signal_event(int fd) noexcept {
  const std::uint64_t one = 1;
  // A full one is a doorbell that nobody answered: nothing to add to it.
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof(one));
}

}  // namespace evring
