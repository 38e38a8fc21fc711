// SPDX-License-Identifier: MIT
// What the tests of the baseline drivers share: descriptors, calls that return -errno,
// payloads with a checksum, and processes that hammer a device at the same time.
#ifndef EVRING_TESTS_BASELINE_SUPPORT_HPP_
#define EVRING_TESTS_BASELINE_SUPPORT_HPP_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "../../kmod/baseline_abi.h"

namespace evring::baseline_test {

using Input = evring_baseline_input;
using Event = evring_baseline_event;

class Descriptor {
 public:
  Descriptor(const char* path, int flags) : fd_(::open(path, flags | O_CLOEXEC)) {
    EXPECT_GE(fd_, 0) << path << ": " << std::strerror(errno);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd_); }

  int fd() const { return fd_; }

  /// @return 0 or -errno.
  int call(unsigned long command, void* argument) const {
    return ::ioctl(fd_, command, argument) < 0 ? -errno : 0;
  }

  /// INJECT or GET. @return events done, or -errno.
  int transfer(unsigned long command, std::uint64_t device_id, void* events,
               std::uint32_t count) const {
    evring_baseline_transfer argument{};
    argument.device_id = device_id;
    argument.events = reinterpret_cast<std::uintptr_t>(events);
    argument.event_count = count;
    const int status = call(command, &argument);
    return status < 0 ? status : static_cast<int>(argument.done_count);
  }

 private:
  int fd_;
};

inline std::uint64_t checksum(const Input& input) {
  std::uint64_t sum = 0x9e3779b97f4a7c15ULL ^ input.type;
  for (int i = 0; i < EVRING_BASELINE_PAYLOAD_WORDS - 1; ++i) {
    sum = (sum ^ input.word[i]) * 0xbf58476d1ce4e5b9ULL;
    sum ^= sum >> 29;
  }
  return sum;
}

/// The number-th event of a producer; every payload word differs from event to event.
inline Input numbered(std::uint64_t number, std::uint32_t producer = 0) {
  Input input{};
  input.type = producer;
  input.length_bytes = sizeof(input.word);
  input.word[0] = number;
  input.word[1] = ~number;
  input.word[2] = number * 0x2545f4914f6cdd1dULL;
  input.word[3] = number ^ producer;
  input.word[4] = checksum(input);
  return input;
}

inline bool intact(const Input& input) {
  return input.length_bytes == sizeof(input.word) && input.word[4] == checksum(input);
}

/// Memory that forked processes share.
template <typename T>
class Shared {
 public:
  Shared()
      : value_(static_cast<T*>(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (value_ == MAP_FAILED) std::abort();
    new (value_) T{};
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { ::munmap(value_, sizeof(T)); }
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

/// Processes that all do the same, from a common start until told to stop.
class Crowd {
 public:
  using Stop = std::atomic<bool>;

  /// @param work  Called in each process with its number; returns its exit status.
  Crowd(int count, const std::function<int(int, const Stop&)>& work) {
    for (int number = 0; number < count; ++number) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        while (!flags_->go) ::usleep(100);
        ::_exit(work(number, flags_->stop));
      }
      EXPECT_GT(pid, 0);
      pids_.push_back(pid);
    }
    flags_->go = true;
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() { stop(); }

  /// @return how many processes did not end with status 0.
  int stop() {
    flags_->stop = true;
    int failed = 0;
    for (const pid_t pid : pids_) {
      int status = 0;
      if (::waitpid(pid, &status, 0) != pid || status != 0) ++failed;
    }
    pids_.clear();
    return failed;
  }

 private:
  struct Flags {
    std::atomic<bool> go{false};
    Stop stop{false};
  };
  Shared<Flags> flags_;
  std::vector<pid_t> pids_;
};

/// Reads until `events` are over, checks each, and counts.
struct Tally {
  std::uint64_t received = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t out_of_order = 0;
  std::array<std::uint64_t, 16> next_of_producer{};

  /// With one consumer every producer's own numbers must rise.
  void take(const Event& event) {
    ++received;
    const std::uint32_t producer = event.input.type;
    if (!intact(event.input) || producer >= next_of_producer.size()) {
      ++corrupt;
      return;
    }
    if (event.input.word[0] < next_of_producer[producer]) ++out_of_order;
    next_of_producer[producer] = event.input.word[0] + 1;
  }
};

inline bool wait_until(std::chrono::milliseconds limit, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    ::usleep(5000);
  }
  return condition();
}

}  // namespace evring::baseline_test

#endif  // EVRING_TESTS_BASELINE_SUPPORT_HPP_
