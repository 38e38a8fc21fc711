// SPDX-License-Identifier: MIT
// The few system calls that the library needs in more than one place, with errors
// that name what they were for. Private to the library.
#pragma once

#include <evring/descriptor.hpp>

#include <linux/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

namespace evring {

/// Of the smallest page; what one mapping has lies in whole ones.
inline constexpr std::uint64_t kPageBytes = 4096;

/// Throws std::system_error for `error` (errno by default) with `what` in front.
[[noreturn]] inline void throw_errno(const std::string& what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

/// Calls `call` until it is not interrupted. A signal's handler interrupts; so does the
/// pending work of an io_uring that this thread has just ended, with no signal at all.
/// @return what the last call returned.
template <class Call>
auto uninterrupted(Call&& call) noexcept {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// A word of the ABI (__u64) as memory.hpp takes it.
inline std::uint64_t* word_of(__u64& field) noexcept {
  return reinterpret_cast<std::uint64_t*>(&field);
}

/// A sealable memory file. @throws std::system_error naming `name`.
FileDescriptor make_memory_file(const std::string& name, std::uint64_t bytes,
                                bool huge_pages = false);

/// Maps `bytes` of `fd` shared. @throws std::system_error naming `what`.
void* map_shared(int fd, std::uint64_t bytes, int protection, const std::string& what);

/// Registers this process for the cheap side of the asymmetric barrier.
/// @return false where the kernel or a filter has no membarrier(2).
bool register_cheap_barrier() noexcept;

/// The expensive side: a full barrier on every core that runs a registered process.
/// @return false where it is not to be had.
bool expensive_barrier() noexcept;

/// Starts a timerfd, once, `wake_us` from now; 0 stops it.
void set_timer(int fd, std::uint64_t wake_us) noexcept;

/// Swallows what a non-blocking doorbell holds. @return whether there was something.
bool drain(int fd) noexcept;

/// Rings a doorbell (or adds one to an eventfd); `fd` must be non-blocking.
void signal_event(int fd) noexcept;

}  // namespace evring
