// SPDX-License-Identifier: MIT
// What one writes without a ring, the design of a kernel course in user space: a bounded list
// of events and a mutex. Memory is allocated and freed outside of the lock, and a burst goes
// in or out under one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <list>
#include <mutex>

namespace evring::bench {

/// Any thread may call anything. Each event goes to one taker.
template <class Event>
class MutexList {
 public:
  using value_type = Event;

  explicit MutexList(std::size_t capacity_count) : capacity_count_(capacity_count) {}

  bool push(const Event& event) { return push(&event, 1) == 1; }
  bool pop(Event& event) { return pop(&event, 1) == 1; }

  /// Appends events in order, as many as have room. @return how many.
  std::size_t push(const Event* events, std::size_t count) {
    std::list<Event> burst(events, events + count);
    const std::lock_guard held(mutex_);
    const std::size_t taken = std::min(count, capacity_count_ - list_.size());
    list_.splice(list_.end(), burst, burst.begin(), nth(burst, taken));
    return taken;
  }

  /// Takes up to `count` of the oldest, in order. @return how many.
  std::size_t pop(Event* out, std::size_t count) {
    std::list<Event> taken;
    {
      const std::lock_guard held(mutex_);
      taken.splice(taken.end(), list_, list_.begin(), nth(list_, std::min(count, list_.size())));
    }
    std::copy(taken.begin(), taken.end(), out);
    return taken.size();
  }

 private:
  static auto nth(std::list<Event>& list, std::size_t count) {
    return count == list.size() ? list.end()
                                : std::next(list.begin(), static_cast<std::ptrdiff_t>(count));
  }

  const std::size_t capacity_count_;
  std::mutex mutex_;
  std::list<Event> list_;
};

}  // namespace evring::bench
