// SPDX-License-Identifier: MIT
// The mutex list as a contender: bounded like the others, and found once, as a
// program would that keeps its device open. As the course has it, an event a call
// (OneByOne); and made better, a burst under one lock (ByBurst). A device per consumer
// when it broadcasts.
#pragma once

#include <bench/peers/contender.hpp>
#include <bench/peers/mutex_list.hpp>

#include <cstddef>

namespace evring::peers {

template <std::size_t kPayload>
class MutexList {
 public:
  using Payload = Words<kPayload>;

  explicit MutexList(std::size_t slot_count) : device_("lane", slot_count) {}

  bool push(const Payload& event) { return device_.inject(event); }
  bool pop(Payload& event) { return device_.get(event); }
  std::size_t push(const Payload* events, std::size_t count) {
    return device_.inject_burst({events, count});
  }
  std::size_t pop(Payload* events, std::size_t count) { return device_.get_burst({events, count}); }

 private:
  MutexDevice<Payload> device_;
};

}  // namespace evring::peers
