// SPDX-License-Identifier: MIT
// The mutex list as a contender: bounded like the others, and found once, as a
// program would that keeps its device open.
#pragma once

#include <bench/peers/contender.hpp>
#include <bench/peers/mutex_list.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace evring::peers {

/// The course's design; a device per consumer when it broadcasts.
template <std::size_t kPayload>
class MutexListLane {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  using Payload = Words<kPayload>;

  explicit MutexListLane(std::size_t slot_count) : device_("lane", slot_count) {}

  std::size_t push(const Payload* events, std::size_t count) {
    return device_.inject_burst({events, count});
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    std::array<Payload, kBurstMax> events;
    const std::size_t taken = device_.get_burst(std::span(events).first(count));
    for (std::size_t i = 0; i < taken; ++i) sink(events[i]);
    return taken;
  }

 private:
  MutexDevice<Payload> device_;
};

}  // namespace evring::peers
