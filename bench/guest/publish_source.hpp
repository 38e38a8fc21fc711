// SPDX-License-Identifier: MIT
// The producers whose cost is compared. Each runs on the first allowed CPU, paced, while
// a consumer spins on the last one, checks what it gets and counts what it lost.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace evring::publish {

struct Load {
  double seconds = 0.2;  ///< of one measurement
  std::uint32_t batch_count = 32;
  std::uint64_t rate_hz = 2000;  ///< bursts a second
};

/// One measurement of one producer.
struct Cost {
  std::uint64_t publish_ns = 0;  ///< all bursts together, each between two looks at the clock
  std::uint64_t published = 0;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t doorbells = 0;  ///< rung or suppressed: the producer saw somebody armed
  bool exact = false;           ///< received + lost is published, and no payload was wrong

  double ns_per_event() const {
    return static_cast<double>(publish_ns) / static_cast<double>(published);
  }
};

struct Source {
  std::string name;
  std::function<Cost(const Load&)> measure;
};

using Round = std::map<std::string, Cost>;

/// local-tick and timer; local-edu and edu where evring_edu.ko has a device.
/// @throws std::invalid_argument  evring_edu.ko publishes bursts of another length.
std::vector<Source> find_sources(const Load& load);

/// The local producer that publishes the same events.
std::string local_of(const std::string& name);

}  // namespace evring::publish
