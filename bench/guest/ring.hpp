// SPDX-License-Identifier: MIT
// The ring: a soft device of evring.ko, filled by ioctl, read through its mapping with no
// system call as long as there is something to read.
#pragma once

#include <bench/guest/node.hpp>
#include <bench/guest/race.hpp>

#include <evring/consumer.hpp>

namespace evring::bench {

class RingDriver {
 public:
  static constexpr bool kBroadcast = true;

  explicit RingDriver(const Case& one)
      : device_({.name = name_of_this_run(), .slot_count = one.slot_count}) {}

  Account account() const {
    const evring_device_info info = device_.open().info();
    return {.published = info.head - info.first_sequence,
            .dropped = info.dropped,
            .lock_wait_ns = info.lock_wait_ns};
  }

  class Producer {
   public:
    explicit Producer(const RingDriver& driver) : device_(driver.device_.open()) {}
    /// Offers `count` events in one system call. @return how many were taken.
    /// By the bare ioctl: here is no time for the words that Device::inject() makes for its error.
    std::uint32_t inject(const Input* events, std::uint32_t count) {
      evring_inject argument{};
      argument.size = sizeof(argument);
      argument.event_count = count;
      argument.event_bytes = sizeof(Input);
      argument.events = reinterpret_cast<std::uintptr_t>(events);
      if (::ioctl(device_.fd(), EVRING_IOC_INJECT, &argument) != 0) require(errno, "ring: inject");
      return argument.published_count;
    }

   private:
    Device device_;
  };

  class Consumer {
   public:
    explicit Consumer(const RingDriver& driver)
        : consumer_(driver.device_.open().map(), StartAt::kOldest) {}

    /// Takes what is there, at most one burst. @return false: nothing was there, and it has
    /// waited as this driver's consumers do, for 50 ms at most.
    bool poll(RaceSink& sink) {
      for (int spins = 0; spins < kSpinsBeforeYield; ++spins) {
        const Burst burst = consumer_.visit_burst(
            kBurst, Look{}, [&](const RaceSink::Finding& found) noexcept { sink.count(found); });
        if (burst.status == ReadStatus::kOverrun) consumer_.resync();
        if (burst.status != ReadStatus::kEmpty) return true;
        cpu_relax();
      }
      ::sched_yield();
      return false;
    }
    /// At rest: all that was there has been received or is counted as lost.
    bool is_balanced(std::uint64_t received) const {
      const Balance balance = consumer_.balance();
      return balance.balanced() && balance.received == received &&
             balance.cursor == consumer_.head();
    }
    std::uint64_t lost() const { return consumer_.lost(); }

   private:
    static constexpr std::size_t kBurst = 64;
    static constexpr int kSpinsBeforeYield = 16;

    struct Look {
      [[gnu::always_inline]] RaceSink::Finding operator()(
          const SlotView<DefaultSlot>& slot) const noexcept {
        return RaceSink::examine(slot.type(), slot.length_bytes(),
                                 [&](std::size_t word) noexcept { return slot.word(word); });
      }
    };

    evring::Consumer consumer_;
  };

 private:
  OwnDevice device_;
};

}  // namespace evring::bench
