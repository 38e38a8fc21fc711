// SPDX-License-Identifier: MIT
// The usual modern driver: spinlock, a kfifo for each reader, wait queue, read(). A reader
// takes what read() gives, up to 64 events, and sleeps when there is nothing.
#include <poll.h>

#include <array>

#include "contender.hpp"

namespace evring::compare {
namespace {

evring_kfifo_stats stats_of(const Node& node) {
  evring_kfifo_stats stats{};
  node.call(EVRING_KFIFO_IOC_STATS, &stats, "stats");
  return stats;
}

class KfifoProducer : public ProducerSide {
 public:
  std::uint32_t inject(const Input* inputs, std::uint32_t count) override {
    evring_baseline_transfer argument{};
    argument.events = reinterpret_cast<std::uintptr_t>(inputs);
    argument.event_count = count;
    node_.call(EVRING_KFIFO_IOC_INJECT, &argument, "inject");
    return argument.done_count;
  }

 private:
  Node node_{EVRING_KFIFO_PATH, O_WRONLY};
};

class KfifoConsumer : public ConsumerSide {
 public:
  bool poll(Verifier& verifier) override {
    const ssize_t bytes = ::read(node_.fd(), events_.data(), sizeof(events_));
    if (bytes < 0) {
      if (errno != EAGAIN) throw std::system_error(errno, std::generic_category(), node_.path());
      pollfd request{.fd = node_.fd(), .events = POLLIN, .revents = 0};
      return ::poll(&request, 1, 50) > 0;
    }
    const std::size_t count = static_cast<std::size_t>(bytes) / sizeof(events_[0]);
    for (std::size_t i = 0; i < count; ++i) {
      const Input& input = events_[i].input;
      verifier.take(examine(input.type, input.length_bytes,
                            [&](unsigned word) -> std::uint64_t { return input.word[word]; }));
    }
    return true;
  }
  bool balanced(std::uint64_t received) override {
    const evring_kfifo_stats stats = stats_of(node_);
    return stats.received == received && stats.queued == 0 &&
           stats.received + stats.lost == stats.next_sequence - stats.start_sequence;
  }
  std::uint64_t lost() override { return stats_of(node_).lost; }

 private:
  Node node_{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  std::array<evring_baseline_event, 64> events_;
};

class KfifoContender : public Contender {
 public:
  std::unique_ptr<ProducerSide> open_producer() override {
    return std::make_unique<KfifoProducer>();
  }
  std::unique_ptr<ConsumerSide> open_consumer() override {
    return std::make_unique<KfifoConsumer>();
  }
  Account account() override {
    const evring_kfifo_stats now = stats_of(node_);
    Account account;
    account.published = now.next_sequence - before_.next_sequence;
    account.lock_wait_ns = now.lock_wait_ns - before_.lock_wait_ns;
    return account;
  }
  bool broadcast() const override { return true; }

 private:
  Node node_{EVRING_KFIFO_PATH, O_WRONLY};
  evring_kfifo_stats before_ = stats_of(node_);
};

}  // namespace

std::unique_ptr<Contender> make_kfifo(const Settings&) {
  return std::make_unique<KfifoContender>();
}

}  // namespace evring::compare
