// SPDX-License-Identifier: MIT
// What one writes without a ring: a bounded list of events and a mutex. Memory is allocated
// and freed outside of the lock, and a burst goes in or out under one.
#pragma once

#include <algorithm>
#include <evring/slot.hpp>
#include <iterator>
#include <list>
#include <mutex>
#include <span>
#include <thread>

namespace evring::cli {

/// Any thread may call anything.
class MutexList {
 public:
  explicit MutexList(std::size_t capacity_count) : capacity_count_(capacity_count) {}

  /// At most `capacity_count` events; waits until all of them have room.
  void put(std::span<const Event> events) {
    std::list<Event> burst(events.begin(), events.end());
    while (!try_append(burst)) std::this_thread::yield();
  }

  /// Takes up to out.size() of the oldest. @return how many; 0 after giving the CPU away.
  std::size_t take(std::span<Event> out) {
    std::list<Event> taken = detach(out.size());
    if (taken.empty()) std::this_thread::yield();
    std::copy(taken.begin(), taken.end(), out.begin());
    return taken.size();
  }

 private:
  bool try_append(std::list<Event>& burst) {
    const std::lock_guard held(mutex_);
    if (list_.size() + burst.size() > capacity_count_) return false;
    list_.splice(list_.end(), burst);
    return true;
  }

  std::list<Event> detach(std::size_t count_max) {
    std::list<Event> taken;
    const std::lock_guard held(mutex_);
    const auto count = static_cast<std::ptrdiff_t>(std::min(count_max, list_.size()));
    taken.splice(taken.end(), list_, list_.begin(), std::next(list_.begin(), count));
    return taken;
  }

  const std::size_t capacity_count_;
  std::mutex mutex_;
  std::list<Event> list_;
};

}  // namespace evring::cli
