// SPDX-License-Identifier: MIT
// The mutex list as a contender: bounded like the others, and found once, as a
// program would that keeps its device open. As the course has it, an event a call;
// and made better, a burst under one lock.
#pragma once

#include <bench/peers/contender.hpp>
#include <bench/peers/mutex_list.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace evring::peers {

enum class Locking { kPerEvent, kPerBurst };

/// A device per consumer when it broadcasts.
template <std::size_t kPayload, Locking kLocking>
class MutexListLane {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  using Payload = Words<kPayload>;

  explicit MutexListLane(std::size_t slot_count) : device_("lane", slot_count) {}

  std::size_t push(const Payload* events, std::size_t count) {
    if constexpr (kLocking == Locking::kPerBurst) return device_.inject_burst({events, count});
    std::size_t done = 0;
    while (done < count && device_.inject(events[done])) ++done;
    return done;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    if constexpr (kLocking == Locking::kPerBurst) {
      std::array<Payload, kBurstMax> events;
      const std::size_t taken = device_.get_burst(std::span(events).first(count));
      for (std::size_t i = 0; i < taken; ++i) sink(events[i]);
      return taken;
    }
    std::size_t done = 0;
    for (Payload event; done < count && device_.get(event); ++done) sink(event);
    return done;
  }

 private:
  MutexDevice<Payload> device_;
};

}  // namespace evring::peers
