// SPDX-License-Identifier: MIT
// Roles on processes, where a thread would not do: one that is killed, or ten that inject.
#pragma once

#include <sys/types.h>

#include <sys/mman.h>

#include <cerrno>
#include <functional>
#include <new>
#include <system_error>
#include <utility>

namespace evring::bench {

/// A T in memory that this process and its children share.
template <class T>
class Shared {
 public:
  Shared()
      : memory_(
            mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    value_ = ::new (memory_) T;
  }
  ~Shared() { munmap(memory_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() const noexcept { return value_; }
  T& operator*() const noexcept { return *value_; }

 private:
  void* memory_;
  T* value_;
};

/// A child process, pinned. It ends with this object, or with its parent, at the latest.
class Child {
 public:
  /// Forks: the calling process has no other threads. The child exits with 0, or with 1 and
  /// a line on stderr when `work` throws.
  Child(int cpu, const std::function<void()>& work);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&&) = delete;
  ~Child() { kill(); }

  /// Suspends it, and returns when it is. @throws std::runtime_error when it has ended.
  void stop();
  /// Kills it if it lives, and reaps it.
  void kill() noexcept;
  bool has_ended() const noexcept;
  /// Waits for its end. @return whether it exited with 0.
  bool wait() noexcept;

 private:
  pid_t pid_;
};

}  // namespace evring::bench
