// SPDX-License-Identifier: MIT
// What passes through the kernel: a pipe that carries the payload, and a queue in
// memory whose every burst is announced by an eventfd. Non-blocking, one per consumer.
#pragma once

#include <bench/peers/contender.hpp>
#include <evring/local_ring.hpp>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/lockfree/spsc_queue.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace evring::peers {

/// Writes of at most PIPE_BUF bytes, which a pipe takes whole or not at all.
template <std::size_t kPayload>
class Pipe {
 public:
  using Payload = Words<kPayload>;

  explicit Pipe(std::size_t slot_count) {
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    read_end_ = FileDescriptor(fds[0]);
    write_end_ = FileDescriptor(fds[1]);
    // As large as the other queues where the user's limit allows it; its default if not.
    static_cast<void>(
        fcntl(write_end_.get(), F_SETPIPE_SZ, static_cast<int>(slot_count * kPayload)));
  }

  std::size_t push(const Payload* events, std::size_t count) {
    constexpr std::size_t kWholeMax = PIPE_BUF / kPayload;
    const std::size_t offered = std::min(count, kWholeMax);
    const ssize_t written = write(write_end_.get(), events, offered * kPayload);
    return written < 0 ? 0 : static_cast<std::size_t>(written) / kPayload;
  }

  std::size_t pop(Payload* events, std::size_t count) {
    const ssize_t got = read(read_end_.get(), events, count * kPayload);
    return got <= 0 ? 0 : static_cast<std::size_t>(got) / kPayload;
  }

 private:
  FileDescriptor read_end_;
  FileDescriptor write_end_;
};

/// boost::lockfree::spsc_queue behind an eventfd: written once a burst, read before
/// the queue is looked at.
template <std::size_t kPayload>
class EventfdQueue {
 public:
  using Payload = Words<kPayload>;

  explicit EventfdQueue(std::size_t slot_count)
      : queue_(slot_count), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!fd_) throw std::system_error(errno, std::generic_category(), "eventfd");
  }

  std::size_t push(const Payload* events, std::size_t count) {
    const std::size_t pushed = queue_.push(events, count);
    const std::uint64_t one = 1;
    if (pushed != 0 && write(fd_.get(), &one, sizeof(one)) != sizeof(one)) return 0;
    return pushed;
  }

  std::size_t pop(Payload* events, std::size_t count) {
    if (!announced_) {
      std::uint64_t bursts = 0;
      if (read(fd_.get(), &bursts, sizeof(bursts)) != sizeof(bursts)) return 0;
      announced_ = true;
    }
    const std::size_t taken = queue_.pop(events, count);
    if (taken < count) announced_ = false;
    return taken;
  }

 private:
  boost::lockfree::spsc_queue<Payload> queue_;
  FileDescriptor fd_;
  bool announced_ = false;  // the consumer's
};

}  // namespace evring::peers
