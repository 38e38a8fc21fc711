// SPDX-License-Identifier: MIT
// A seat at a local ring: a page for the cursor, a place in the doorbell page, and the
// two descriptors that wake whoever sleeps.
// Ordering: C4 and D1, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>

#include <chrono>
#include <cstdint>
#include <memory>

namespace evring {

/// When a parked consumer wants its doorbell.
struct ArmRequest {
  std::uint16_t wake_events = 1;          ///< when so many events are there …
  std::chrono::microseconds wake{0};      ///< … or this long after the first; 0: with the first
  std::chrono::milliseconds max_idle{0};  ///< … or after so long without any; 0: the rung's bound
};

/// A registered consumer of a local ring. Unregisters at the end, and with the process
/// that registered, whatever it has forked. One thread.
///
/// The copy in a forked child is inert: it arms nothing, and its end ends nothing.
class Registration {
 public:
  Registration(Registration&&) noexcept;
  Registration& operator=(Registration&&) noexcept;
  ~Registration();

  unsigned index() const noexcept;
  /// The sequence the registration starts at; pass it to BasicConsumer::gate().
  std::uint64_t sequence() const noexcept;
  evring_consumer_page* page() const noexcept;

  /// Asks for one doorbell for events at or past `cursor`.
  ///
  /// @return true: armed, now sleep on doorbell_fd() and timer_fd(). False: the
  ///         events are there already or the ring is gone, and nothing is armed.
  /// Pays the expensive side of the barrier (membarrier), so the producer need not.
  /// Publishes `cursor` to a gated producer too.
  [[nodiscard]] bool arm(const ArmRequest& request, std::uint64_t cursor) noexcept {
    begin_arm(request, cursor);
    return end_arm(order_arms());
  }
  /// arm() for many registrations at the price of one barrier: begin_arm() of each, then
  /// order_arms(), then end_arm() of each with what that returned. Nobody sleeps before.
  void begin_arm(const ArmRequest& request, std::uint64_t cursor) noexcept;
  /// @return false: no membarrier(2) here; the producers are asked to fence.
  static bool order_arms() noexcept;
  /// @return as arm() does; false too where nothing was begun.
  [[nodiscard]] bool end_arm(bool ordered) noexcept;

  /// Takes the arm back and swallows a doorbell that rang meanwhile. After a
  /// wake-up too. @return whether it had rung.
  bool disarm() noexcept;

  /// Readable (a pipe of this process's own, non-blocking) when the doorbell rang.
  int doorbell_fd() const noexcept;
  /// Readable (a timerfd) when `wake` has passed after the first event. Never read it:
  /// the ring's owner could make that block.
  int timer_fd() const noexcept;
  /// Hangs up when the ring's owner goes away; -1 within the owner's process.
  int owner_fd() const noexcept;

  struct Impl;
  explicit Registration(std::unique_ptr<Impl> impl) noexcept;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace evring
