// SPDX-License-Identifier: MIT
// A named local ring that this process makes, serves and publishes into: what
// `add --local` and `inject --local` have in common. Main thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <evring/local_ring.hpp>
#include <evring/poller/pace.hpp>
#include <evring/shared_producer.hpp>
#include <memory>
#include <string>

#include "cli/commands.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {

class LocalServer {
 public:
  /// Takes events of other processes too (see LocalInjector).
  /// @throws Failure: the name is taken, a limit, no permission for the socket.
  LocalServer(const std::string& name, const RingShape& shape);

  /// Waits until `count` consumers are registered, or Ctrl-C.
  void wait_for_consumers(unsigned count) const;

  /// Calls `publish(AnyProducer&)`, which publishes `count` events: at once where `drops`,
  /// else as soon as the slowest cursor of a gated ring leaves room for them.
  /// @return false when Ctrl-C came first.
  template <class Publish>
  bool publish(std::uint64_t count, bool drops, Publish&& publish) {
    const auto try_it = [&](AnyProducer& by) {
      if (!drops && !has_room(by, count)) return false;
      publish(by);
      return true;
    };
    while (!stop::requested()) {
      if (producer_->with_producer(try_it)) return true;
      stop::sleep_for(std::chrono::microseconds(200));
    }
    return false;
  }

  /// Makes what was dropped up to now seen by others.
  void refresh_status();
  /// offered, published, dropped and doorbells, as text or JSON: of others' events too.
  void print_balance(bool json) const;

 private:
  LocalRing make(const std::string& name, const RingShape& shape);
  bool has_room(const AnyProducer& by, std::uint64_t count) const noexcept;
  std::shared_ptr<SharedProducer<AnySlotLayout>> producer_;  ///< made with ring_, so before it
  LocalRing ring_;
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
