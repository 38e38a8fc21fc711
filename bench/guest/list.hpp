// SPDX-License-Identifier: MIT
// The driver of a kernel course: lists behind mutexes, one event in or out by each ioctl.
#pragma once

#include <bench/guest/node.hpp>
#include <bench/guest/race.hpp>

#include <iterator>
#include <numeric>

namespace evring::bench {

/// A device of the list driver that goes with this object.
class ListDevice {
 public:
  ListDevice(std::uint32_t flags, std::uint64_t events_max) {
    evring_list_device config{};
    config.flags = flags;
    config.max_events = events_max;
    name_of_this_run().copy(config.name, sizeof(config.name) - 1);
    require(try_call(node_, EVRING_LIST_IOC_ADD, &config), "list: add a device");
    id_ = config.device_id;
  }
  ListDevice(const ListDevice&) = delete;
  ListDevice& operator=(const ListDevice&) = delete;
  ~ListDevice() { try_call(node_, EVRING_LIST_IOC_REMOVE, &id_); }

  std::uint64_t id() const noexcept { return id_; }
  /// @param request  EVRING_LIST_IOC_STATS or EVRING_LIST_IOC_AUDIT.
  evring_list_stats stats(unsigned long request) const {
    evring_list_stats stats{};
    stats.device_id = id_;
    require(try_call(node_, request, &stats), "list: stats");
    return stats;
  }

 private:
  FileDescriptor node_ = open_node(EVRING_LIST_PATH, O_RDWR);
  std::uint64_t id_ = 0;
};

inline std::uint64_t corruptions_in(const evring_list_stats& stats) {
  return std::accumulate(std::begin(stats.corrupt), std::end(stats.corrupt), std::uint64_t{0});
}

class ListDriver {
 public:
  static constexpr bool kBroadcast = false;

  explicit ListDriver(const Case& one) : device_(EVRING_LIST_MUTEX, one.slot_count) {}

  Account account() const {
    const evring_list_stats stats = device_.stats(EVRING_LIST_IOC_AUDIT);
    return {.published = stats.injected,
            .dropped = stats.dropped,
            .lock_wait_ns = stats.lock_wait_ns + stats.device_lock_wait_ns - waited_before_ns_,
            .left = stats.length,
            .corruptions = corruptions_in(stats)};
  }

  struct Producer : BaselineProducer {
    explicit Producer(const ListDriver& driver)
        : BaselineProducer(EVRING_LIST_PATH, EVRING_LIST_IOC_INJECT, driver.device_.id()) {}
  };

  class Consumer {
   public:
    explicit Consumer(const ListDriver& driver) : device_id_(driver.device_.id()) {}

    bool poll(RaceSink& sink) {
      evring_baseline_event event{};
      auto argument = transfer_of(device_id_, &event, 1);
      const int error = try_call(node_, EVRING_LIST_IOC_GET, &argument);
      if (error == EAGAIN) {
        ::sched_yield();
        return false;
      }
      if (error == EIO) return true;  // found broken, and counted by the driver
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
  ListDevice device_;
  /// The list of devices serves all devices: only what is waited there from now on counts.
  std::uint64_t waited_before_ns_ = device_.stats(EVRING_LIST_IOC_STATS).device_lock_wait_ns;
};

}  // namespace evring::bench
