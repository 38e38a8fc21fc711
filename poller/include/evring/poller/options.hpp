// SPDX-License-Identifier: MIT
// How a poller waits, and what its user is told.
#pragma once

#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/poller/ladder.hpp>
#include <evring/poller/source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace evring {

/// What a poller does when no ring has events.
enum class WaitStrategy : std::uint8_t {
  kBusySpin,  ///< looks again at once: lowest latency, a whole core
  kYield,     ///< offers the core to others between looks
  kAdaptive,  ///< spins for `spin`, then parks
  kPark,      ///< parks at once
};

/// "busy-spin", "yield", "adaptive", "park".
const char* to_string(WaitStrategy strategy) noexcept;
std::optional<WaitStrategy> parse_wait_strategy(std::string_view text) noexcept;

struct PollerOptions {
  WaitStrategy strategy = WaitStrategy::kAdaptive;
  std::chrono::microseconds spin{50};  ///< adaptive: how long a ring is quiet before it arms
  /// Moderation of the doorbell. max_idle bounds a park; 0 for local rings: no bound.
  ArmRequest arm{1, std::chrono::microseconds{0}, std::chrono::milliseconds{1000}};
  std::size_t burst_count = 32;  ///< events per handler call, at most
  ResyncTo resync = ResyncTo::kOldest;
  Rung best_rung = Rung::kUringCommand;  ///< no better one is tried
  bool stays = false;                    ///< run() waits for rings to be added when none is left
  std::string name;                      ///< on the board of consumers; empty: the program's
  bool is_posted = true;                 ///< whether others see what it counts; see board.hpp

  /// Called on the poller's thread when a ring was lapped: how many events that cost.
  std::function<void(unsigned ring, std::uint64_t lost)> on_overrun;
  /// Called on the poller's thread once per ring, after its last event. The account of the
  /// ring stands in its counters.
  std::function<void(unsigned ring, GoneReason reason)> on_gone;
};

/// Why run() returned.
enum class RunEnd : std::uint8_t { kStopped, kAllGone };

}  // namespace evring
