// SPDX-License-Identifier: MIT
// The usual modern driver: spinlock, a kfifo for each reader, wait queue, read(). A reader
// takes what read() gives, up to 64 events, and sleeps when there is nothing.
#pragma once

#include <bench/guest/node.hpp>
#include <bench/guest/race.hpp>

#include <poll.h>

namespace evring::bench {

class KfifoDriver {
 public:
  static constexpr bool kBroadcast = true;

  explicit KfifoDriver(const Case&) {}  // its room is its module's parameter

  Account account() const {
    const evring_kfifo_stats now = stats_of(node_);
    return {.published = now.next_sequence - before_.next_sequence,
            .lock_wait_ns = now.lock_wait_ns - before_.lock_wait_ns};
  }

  struct Producer : BaselineProducer {
    explicit Producer(const KfifoDriver&)
        : BaselineProducer(EVRING_KFIFO_PATH, EVRING_KFIFO_IOC_INJECT, 0) {}
  };

  class Consumer {
   public:
    explicit Consumer(const KfifoDriver&) {}

    bool poll(RaceSink& sink) {
      const ssize_t bytes = ::read(node_.get(), events_.data(), sizeof(events_));
      if (bytes < 0) {
        if (errno != EAGAIN) require(errno, "kfifo: read");
        pollfd request{.fd = node_.get(), .events = POLLIN, .revents = 0};
        return ::poll(&request, 1, 50) > 0;
      }
      const std::size_t count = static_cast<std::size_t>(bytes) / sizeof(events_[0]);
      for (std::size_t i = 0; i < count; ++i) sink.count(RaceSink::examine(events_[i].input));
      return true;
    }
    bool is_balanced(std::uint64_t received) const {
      const evring_kfifo_stats stats = stats_of(node_);
      return stats.received == received && stats.queued == 0 &&
             stats.received + stats.lost == stats.next_sequence - stats.start_sequence;
    }
    std::uint64_t lost() const { return stats_of(node_).lost; }

   private:
    FileDescriptor node_ = open_node(EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK);
    std::array<evring_baseline_event, 64> events_;
  };

 private:
  static evring_kfifo_stats stats_of(const FileDescriptor& node) {
    evring_kfifo_stats stats{};
    require(try_call(node, EVRING_KFIFO_IOC_STATS, &stats), "kfifo: stats");
    return stats;
  }

  FileDescriptor node_ = open_node(EVRING_KFIFO_PATH, O_WRONLY);
  evring_kfifo_stats before_ = stats_of(node_);
};

}  // namespace evring::bench
