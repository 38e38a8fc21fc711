// SPDX-License-Identifier: MIT
// The driver of a kernel course: lists behind mutexes, one event in or out by each ioctl. Variant
// "unlocked" has the same list without its mutex, to show why one needs it: it breaks.
#pragma once

#include <bench/guest/node.hpp>
#include <bench/guest/race.hpp>

#include <iterator>
#include <numeric>

namespace evring::bench {

class ListDriver {
 public:
  static constexpr bool kBroadcast = false;

  explicit ListDriver(const Case& one) {
    evring_list_device config{};
    config.flags = one.variant == "unlocked" ? EVRING_LIST_UNLOCKED : EVRING_LIST_MUTEX;
    config.max_events = one.slot_count;
    name_of_this_run().copy(config.name, sizeof(config.name) - 1);
    require(try_call(node_, EVRING_LIST_IOC_ADD, &config), "list: add a device");
    id_ = config.device_id;
    waited_before_ns_ = stats(EVRING_LIST_IOC_STATS).device_lock_wait_ns;
  }
  ListDriver(const ListDriver&) = delete;
  ListDriver& operator=(const ListDriver&) = delete;
  ~ListDriver() { try_call(node_, EVRING_LIST_IOC_REMOVE, &id_); }

  Account account() const {
    const evring_list_stats found = stats(EVRING_LIST_IOC_AUDIT);
    return {.published = found.injected,
            .dropped = found.dropped,
            .lock_wait_ns = found.lock_wait_ns + found.device_lock_wait_ns - waited_before_ns_,
            .left = found.length,
            .corruptions = std::accumulate(std::begin(found.corrupt), std::end(found.corrupt),
                                           std::uint64_t{0})};
  }

  struct Producer : BaselineProducer {
    explicit Producer(const ListDriver& driver)
        : BaselineProducer(EVRING_LIST_PATH, EVRING_LIST_IOC_INJECT, driver.id_) {}
  };

  class Consumer {
   public:
    explicit Consumer(const ListDriver& driver) : device_id_(driver.id_) {}

    bool poll(RaceSink& sink) {
      evring_baseline_event event{};
      auto argument = transfer_of(device_id_, &event, 1);
      const int error = try_call(node_, EVRING_LIST_IOC_GET, &argument);
      if (error == EAGAIN || error == EIO) {  // empty, or found broken: the driver counts that
        ::sched_yield();
        return false;
      }
      require(error, "list: get");
      sink.count(RaceSink::examine(event.input));
      return true;
    }
    bool is_balanced(std::uint64_t) const { return true; }  // of all together: account()
    std::uint64_t lost() const { return 0; }

   private:
    FileDescriptor node_ = open_node(EVRING_LIST_PATH, O_RDONLY);
    std::uint64_t device_id_;
  };

 private:
  evring_list_stats stats(unsigned long request) const {
    evring_list_stats found{};
    found.device_id = id_;
    require(try_call(node_, request, &found), "list: stats");
    return found;
  }

  FileDescriptor node_ = open_node(EVRING_LIST_PATH, O_RDWR);
  std::uint64_t id_ = 0;
  /// The list of devices serves all devices: only what is waited there from now on counts.
  std::uint64_t waited_before_ns_ = 0;
};

}  // namespace evring::bench
