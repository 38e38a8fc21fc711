// SPDX-License-Identifier: MIT
// See fork_private.hpp, and descriptor.hpp for the descriptors themselves.
#include "fork_private.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "evring/detail/lease.hpp"
#include "evring/memory.hpp"
#include "system.hpp"

namespace evring {
namespace {

struct Disowner {
  void* object;
  void (*disown)(void*);
};

struct Registry {
  std::mutex mutex;
  std::vector<int> descriptors;
  std::vector<Disowner> disowners;
  /// One end of a closed connection, since the first descriptor came: a child may have
  /// none left to make one.
  int hung_up = -1;
};

Registry& registry() {
  static Registry* const instance = new Registry;  // outlives every other static
  return *instance;
}

int open_hung_up() noexcept {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  ::close(ends[1]);
  return ends[0];
}

/// Puts one end of a closed connection in the place of each private descriptor.
void sever(Registry& all) noexcept {
  for (const int fd : all.descriptors) {
    if (all.hung_up < 0 || ::dup3(all.hung_up, fd, O_CLOEXEC) < 0) ::close(fd);
  }
  all.descriptors.clear();
}

/// A word that the kernel zeroes in every forked child, be it made past the C library.
std::uint64_t* generation_word() noexcept {
  static std::uint64_t fallback = 0;
  static std::uint64_t* const word = [] {
    void* page =
        ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return &fallback;
    ::madvise(page, kPageBytes, MADV_WIPEONFORK);  // or else after_fork_in_child() does it
    return static_cast<std::uint64_t*>(page);
  }();
  return word;
}

void before_fork() { registry().mutex.lock(); }
void after_fork_in_parent() { registry().mutex.unlock(); }
void after_fork_in_child() {
  store_relaxed(generation_word(), 0);
  sever(registry());
  for (const Disowner& entry : registry().disowners) entry.disown(entry.object);
  registry().mutex.unlock();
}

/// One more than in any process that this one descends from.
std::uint64_t fork_generation() noexcept {
  static std::uint64_t last = 0;  // copied by a fork, as the word is not
  std::uint64_t* word = generation_word();
  std::uint64_t now = load_relaxed(word);
  if (now != 0) return now;
  const std::uint64_t next = fetch_add(&last, 1) + 1;
  return compare_exchange(word, now, next) ? next : now;
}

void close_keeping_errno(int fd) noexcept {
  const int error = errno;
  ::close(fd);
  errno = error;
}

}  // namespace

std::unique_lock<std::mutex> hold_forks() {
  static const bool is_installed = [] {
    generation_word();  // a child must not find it half made
    const int error = ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    if (error != 0) throw_errno("pthread_atfork", error);
    return true;
  }();
  static_cast<void>(is_installed);
  return std::unique_lock<std::mutex>(registry().mutex);
}

FileDescriptor keep_from_forks(int fd) {
  FileDescriptor owned(fd);
  if (registry().hung_up < 0) registry().hung_up = open_hung_up();
  registry().descriptors.push_back(fd);
  owned.is_fork_private_ = true;
  return owned;
}

void disown_in_forks(void* object, void (*disown)(void*)) {
  const auto held = hold_forks();
  registry().disowners.push_back({object, disown});
}

void forget_in_forks(void* object) noexcept {
  const auto held = hold_forks();
  std::erase_if(registry().disowners,
                [object](const Disowner& entry) { return entry.object == object; });
}

int FileDescriptor::release() noexcept {
  if (std::exchange(is_fork_private_, false)) {
    const auto held = hold_forks();
    std::erase(registry().descriptors, fd_);
  }
  return std::exchange(fd_, -1);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this == &other) return *this;
  std::swap(fd_, other.fd_);
  std::swap(is_fork_private_, other.is_fork_private_);
  FileDescriptor old(std::move(other));
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ < 0) return;
  if (!is_fork_private_) {
    close_keeping_errno(fd_);
    return;
  }
  // Closed before the next fork, or a child would keep what it must not.
  const auto held = hold_forks();
  std::erase(registry().descriptors, fd_);
  close_keeping_errno(fd_);
}

ProcessMark::ProcessMark() noexcept : generation_(fork_generation()) {}
bool ProcessMark::is_here() const noexcept { return generation_ == fork_generation(); }

}  // namespace evring
