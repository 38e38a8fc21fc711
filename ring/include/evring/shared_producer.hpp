// SPDX-License-Identifier: MIT
// Several threads in front of one ring: they share its producer through a lock,
// and the time spent waiting there is counted, not hidden.
#pragma once

#include <evring/producer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <utility>

namespace evring {

/// A BasicProducer behind a mutex. Any thread may publish.
template <class Layout>
class SharedProducer {
 public:
  using EventType = BasicEvent<Layout>;

  explicit SharedProducer(const LocalRing& ring, WhenFull when_full = WhenFull::kWait)
      : producer_(ring, when_full) {}

  PublishStatus publish(const EventType& event) noexcept {
    const auto held = acquire();
    return producer_.publish(event);
  }

  std::size_t publish_batch(std::span<const EventType> events) noexcept {
    const auto held = acquire();
    return producer_.publish_batch(events);
  }

  /// Calls `use(BasicProducer<Layout>&)` under the lock.
  template <class Use>
  decltype(auto) with_producer(Use&& use) {
    const auto held = acquire();
    return std::forward<Use>(use)(producer_);
  }

 private:
  /// Takes the lock; clocks only a wait that happens, and adds it under the lock.
  std::unique_lock<std::mutex> acquire() noexcept {
    std::unique_lock<std::mutex> held(mutex_, std::try_to_lock);
    if (held.owns_lock()) return held;
    const auto begin = std::chrono::steady_clock::now();
    held.lock();
    const auto wait = std::chrono::steady_clock::now() - begin;
    producer_.add_lock_wait(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count()));
    return held;
  }

  std::mutex mutex_;
  BasicProducer<Layout> producer_;
};

}  // namespace evring
