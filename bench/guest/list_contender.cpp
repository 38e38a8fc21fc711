// SPDX-License-Identifier: MIT
// The driver of a kernel course: lists behind mutexes, one event in or out by each ioctl.
#include <sched.h>

#include <array>
#include <cstring>
#include <numeric>

#include "contender.hpp"

namespace evring::compare {
namespace {

int transfer(const Node& node, unsigned long command, std::uint64_t device_id, const void* events,
             std::uint32_t count, std::uint32_t* done) {
  evring_baseline_transfer argument{};
  argument.device_id = device_id;
  argument.events = reinterpret_cast<std::uintptr_t>(events);
  argument.event_count = count;
  const int error = node.try_call(command, &argument);
  *done = error == 0 ? argument.done_count : 0;
  return error;
}

class ListProducer : public ProducerSide {
 public:
  explicit ListProducer(std::uint64_t device_id) : device_id_(device_id) {}
  std::uint32_t inject(const Input* inputs, std::uint32_t count) override {
    std::uint32_t done = 0;
    const int error = transfer(node_, EVRING_LIST_IOC_INJECT, device_id_, inputs, count, &done);
    if (error != 0) throw std::system_error(error, std::generic_category(), "list: inject");
    return done;
  }

 private:
  Node node_{EVRING_LIST_PATH, O_WRONLY};
  std::uint64_t device_id_;
};

class ListConsumer : public ConsumerSide {
 public:
  explicit ListConsumer(std::uint64_t device_id) : device_id_(device_id) {}
  bool poll(Verifier& verifier) override {
    std::uint32_t done = 0;
    evring_baseline_event event{};
    const int error = transfer(node_, EVRING_LIST_IOC_GET, device_id_, &event, 1, &done);
    if (error == 0) {
      const Input& input = event.input;
      verifier.take(examine(input.type, input.length_bytes,
                            [&](unsigned word) -> std::uint64_t { return input.word[word]; }));
      return true;
    }
    if (error == EIO) return true;  // found broken, and counted by the driver
    if (error != EAGAIN) throw std::system_error(error, std::generic_category(), "list: get");
    ::sched_yield();
    return false;
  }
  bool balanced(std::uint64_t) override { return true; }  // of all consumers together: account()
  std::uint64_t lost() override { return 0; }

 private:
  Node node_{EVRING_LIST_PATH, O_RDONLY};
  std::uint64_t device_id_;
};

class ListContender : public Contender {
 public:
  explicit ListContender(const Settings& settings) {
    evring_list_device config{};
    config.flags = settings.unlocked ? EVRING_LIST_UNLOCKED : EVRING_LIST_MUTEX;
    config.max_events = settings.capacity;
    const std::string name = "compare" + std::to_string(::getpid());
    name.copy(config.name, sizeof(config.name) - 1);
    node_.call(EVRING_LIST_IOC_ADD, &config, "add a device");
    device_id_ = config.device_id;
    waited_before_ns_ = shared_wait_ns();
  }
  ~ListContender() override { node_.try_call(EVRING_LIST_IOC_REMOVE, &device_id_); }

  std::unique_ptr<ProducerSide> open_producer() override {
    return std::make_unique<ListProducer>(device_id_);
  }
  std::unique_ptr<ConsumerSide> open_consumer() override {
    return std::make_unique<ListConsumer>(device_id_);
  }
  Account account() override {
    evring_list_stats stats{};
    stats.device_id = device_id_;
    node_.call(EVRING_LIST_IOC_AUDIT, &stats, "audit");
    Account account;
    account.published = stats.injected;
    account.dropped = stats.dropped;
    account.lock_wait_ns = stats.lock_wait_ns + stats.device_lock_wait_ns - waited_before_ns_;
    account.left = stats.length;
    account.corruptions =
        std::accumulate(std::begin(stats.corrupt), std::end(stats.corrupt), std::uint64_t{0});
    return account;
  }
  bool broadcast() const override { return false; }

 private:
  /// The list of devices serves all devices: only what is waited there from now on counts.
  std::uint64_t shared_wait_ns() const {
    evring_list_stats stats{};
    stats.device_id = device_id_;
    node_.call(EVRING_LIST_IOC_STATS, &stats, "stats");
    return stats.device_lock_wait_ns;
  }

  Node node_{EVRING_LIST_PATH, O_RDWR};
  std::uint64_t device_id_ = 0;
  std::uint64_t waited_before_ns_ = 0;
};

}  // namespace

std::unique_ptr<Contender> make_list(const Settings& settings) {
  return std::make_unique<ListContender>(settings);
}

std::unique_ptr<Contender> make_contender(const std::string& name, const Settings& settings) {
  if (name == "ring") return make_ring(settings);
  if (name == "list") return make_list(settings);
  if (name == "refused") return make_refused(settings);
  return make_kfifo(settings);
}

const char* loss_policy(const std::string& name) {
  if (name == "ring") return "overwrites the oldest; each consumer counts what it lost";
  if (name == "list") return "bounded list drops new events; counted for the device";
  if (name == "refused") return "takes none; its readers check as many in memory of their own";
  return "a full reader loses new events; counted for each reader";
}

}  // namespace evring::compare
