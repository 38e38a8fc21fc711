// SPDX-License-Identifier: MIT
// What a driver must offer to be compared. One object is one run: the constructor makes a
// fresh device where the driver has devices, open_*() are called in the forked processes.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

#include "payload.hpp"

namespace evring::compare {

/// An open node; throws std::system_error with the path in it.
class Node {
 public:
  Node(const std::string& path, int flags) : path_(path), fd_(::open(path.c_str(), flags)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() { ::close(fd_); }

  int fd() const noexcept { return fd_; }
  const std::string& path() const noexcept { return path_; }

  /// @return 0 or the errno.
  int try_call(unsigned long command, void* argument) const noexcept {
    return ::ioctl(fd_, command, argument) < 0 ? errno : 0;
  }
  void call(unsigned long command, void* argument, const char* what) const {
    const int error = try_call(command, argument);
    if (error != 0) throw std::system_error(error, std::generic_category(), path_ + ": " + what);
  }

 private:
  std::string path_;
  int fd_;
};

/// How readers of a mapping wait: calls `take()` until it says that it found something, some
/// times, and then gives its time slice away. @return whether it found something.
template <class Take>
bool spin_then_yield(Take&& take) {
  constexpr int kSpinsBeforeYield = 16;
  for (int spins = 0; spins < kSpinsBeforeYield; ++spins) {
    if (take()) return true;
    __builtin_ia32_pause();
  }
  ::sched_yield();
  return false;
}

class ProducerSide {
 public:
  virtual ~ProducerSide() = default;
  /// Offers `count` events in one system call. @return how many were taken.
  virtual std::uint32_t inject(const Input* inputs, std::uint32_t count) = 0;
};

class ConsumerSide {
 public:
  virtual ~ConsumerSide() = default;
  /// Takes what is there, at most one burst. @return false: nothing was there, and it
  /// has waited as this driver's consumers do, for 50 ms at most.
  virtual bool poll(Verifier& verifier) = 0;
  /// received + lost of this consumer is where it should be, at rest.
  virtual bool balanced(std::uint64_t received) = 0;
  virtual std::uint64_t lost() = 0;
};

/// The driver's own account after a run.
struct Account {
  std::uint64_t published = 0;     ///< events that went in
  std::uint64_t dropped = 0;       ///< offered, and refused
  std::uint64_t lock_wait_ns = 0;  ///< of all processes together
  std::uint64_t left = 0;          ///< went in, and are still there
  std::uint64_t corruptions = 0;   ///< of the driver's own structures
};

class Contender {
 public:
  virtual ~Contender() = default;
  virtual std::unique_ptr<ProducerSide> open_producer() = 0;
  virtual std::unique_ptr<ConsumerSide> open_consumer() = 0;
  virtual Account account() = 0;
  /// Whether each event goes to each consumer, or to one of them.
  virtual bool broadcast() const = 0;
};

struct Settings {
  std::uint64_t capacity = 4096;  ///< slots of the ring; events of a bounded list
  bool unlocked = false;          ///< the list without its mutex
};

std::unique_ptr<Contender> make_ring(const Settings& settings);
std::unique_ptr<Contender> make_list(const Settings& settings);
std::unique_ptr<Contender> make_kfifo(const Settings& settings);
std::unique_ptr<Contender> make_refused(const Settings& settings);

/// @param name  ring, list, kfifo or refused.
std::unique_ptr<Contender> make_contender(const std::string& name, const Settings& settings);
/// What it does when consumers are too slow, in one line.
const char* loss_policy(const std::string& name);

}  // namespace evring::compare
