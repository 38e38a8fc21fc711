// SPDX-License-Identifier: MIT
// The ceiling of a driver that takes its events by ioctl: a ring that costs nothing. Its
// injections are copied in, checked and refused by the ring's driver, so nothing is
// published; its readers check as many payloads out of memory of their own.
#pragma once

#include <bench/guest/node.hpp>
#include <bench/guest/race.hpp>
#include <bench/rig/processes.hpp>

#include <stdexcept>

namespace evring::bench {

class RefusedDriver {
  /// What the producers made, each in a line of its own.
  struct Calls {
    struct alignas(64) Made {
      std::atomic<std::uint64_t> events{0};
    };
    std::atomic<std::size_t> producer_count{0};
    std::array<Made, kRaceProcessesMax> made;

    std::uint64_t total() const noexcept {
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < producer_count; ++i) sum += made[i].events;
      return sum;
    }
  };

 public:
  static constexpr bool kBroadcast = true;

  explicit RefusedDriver(const Case&) {}

  Account account() const { return {.published = calls_->total()}; }

  class Producer {
   public:
    explicit Producer(const RefusedDriver& driver)
        : device_(driver.device_.open()),
          made_(driver.calls_->made.at(driver.calls_->producer_count++).events) {}
    std::uint32_t inject(const Input* events, std::uint32_t count) {
      std::copy_n(events, count, events_.begin());
      events_[count - 1].length_bytes = sizeof(Input);  // more than its payload
      std::uint32_t published = 0;
      if (try_inject(device_, events_.data(), count, &published) != EINVAL) {
        throw std::runtime_error(device_.name() + ": took an event that is too long");
      }
      made_.store(made_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
      return count;
    }

   private:
    Device device_;
    std::array<Input, EVRING_BASELINE_BATCH_MAX> events_{};
    std::atomic<std::uint64_t>& made_;
  };

  class Consumer {
   public:
    explicit Consumer(const RefusedDriver& driver) : calls_(*driver.calls_) {
      for (std::size_t i = 0; i < events_.size(); ++i) events_[i] = event_of(0, i);
    }
    bool poll(RaceSink& sink) {
      return spin_then_yield([&] {
        const std::uint64_t due = calls_.total() - checked_;
        check(std::min<std::uint64_t>(due, events_.size()), sink);
        return due != 0;
      });
    }
    bool is_balanced(std::uint64_t received) const {
      return received == checked_ && checked_ == calls_.total();
    }
    std::uint64_t lost() const { return 0; }

   private:
    void check(std::uint64_t count, RaceSink& sink) noexcept {
      for (std::uint64_t i = 0; i < count; ++i) {
        RaceSink::Finding found = RaceSink::examine(events_[i]);
        found.sequence = checked_++;
        sink.count(found);
      }
    }

    const Calls& calls_;
    std::array<Input, 64> events_;
    std::uint64_t checked_ = 0;
  };

 private:
  OwnDevice device_{{.name = name_of_this_run()}};
  Shared<Calls> calls_;
};

}  // namespace evring::bench
