// SPDX-License-Identifier: MIT
// A named local ring that this process makes, serves and publishes into: what
// `add --local` and `inject --local` have in common. Main thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <evring/local_ring.hpp>
#include <evring/poller/pace.hpp>
#include <evring/producer.hpp>
#include <string>

#include "cli/commands.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {

class LocalServer {
 public:
  /// @throws Failure: the name is taken, a limit, no permission for the socket.
  LocalServer(const std::string& name, const RingShape& shape);

  AnyProducer& producer() noexcept { return producer_; }
  const LocalRing& ring() const noexcept { return ring_; }

  /// Waits until `count` consumers are registered, or Ctrl-C.
  void wait_for_consumers(unsigned count) const;
  /// How many consumers are registered now.
  unsigned registered_count() const noexcept;

  /// Gated rings: waits until the slowest cursor leaves room for `count` events.
  /// @return false when Ctrl-C came first.
  bool wait_for_room(std::uint64_t count) const;

  /// offered, published, dropped and doorbells, as text or JSON.
  void print_balance(bool json) const;

 private:
  static LocalRing make(const std::string& name, const RingShape& shape);
  LocalRing ring_;
  AnyProducer producer_;
};

/// Calls `tick()` `rate_hz` times a second (late ones follow at once) until it
/// returns false or Ctrl-C. rate_hz 0: only waits for Ctrl-C.
template <class Tick>
void run_at_rate(std::uint64_t rate_hz, Tick&& tick) {
  while (rate_hz == 0 && !stop::sleep_for(std::chrono::hours(24))) {
  }
  Pace pace(rate_hz);
  while (!stop::sleep_until(pace.next()) && tick()) {
  }
}

}  // namespace evring::cli
