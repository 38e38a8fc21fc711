// SPDX-License-Identifier: MIT
// Where a poller sleeps: one io_uring (or epoll) with every ring's doorbell in it.
// One thread, but for interrupt(). Knows nothing of events and cursors.
//
//   poll ──quiet──▶ arm ──nothing there──▶ park ──doorbell──▶ disarm ──▶ poll
//     ▲              │ events came                                        │
//     └──────────────┴────────────────────────────────────────────────────┘
#pragma once

#include <evring/poller/ladder.hpp>
#include <evring/poller/source.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace evring {

enum class ArmResult : std::uint8_t {
  kArmed,  ///< a doorbell will come
  kBegun,  ///< a local ring: end_arm() is due before the thread sleeps
  kReady,  ///< events are there already; nothing is armed
  kGone,   ///< the ring is gone
};

enum class WakeCause : std::uint8_t {
  kDoorbell,  ///< the doorbell rang; the ring is no longer armed
  kIdle,      ///< max_idle passed; the ring is no longer armed
  kGone,      ///< the ring is gone, or its owner; no longer armed
};

struct Wake {
  unsigned id;
  WakeCause cause;
};

class Parker {
 public:
  /// The best parker this process can have at or below `best_rung`.
  /// @throws std::system_error when there is not even epoll.
  static std::unique_ptr<Parker> make(Rung best_rung);
  virtual ~Parker() = default;
  Parker(const Parker&) = delete;
  Parker& operator=(const Parker&) = delete;

  /// Adds a ring under a number of the caller's, and writes its rung to `choice`; once
  /// more should the driver refuse what it promised. Both outlive the watch.
  virtual void watch(unsigned id, RingLink& link, RungChoice& choice) = 0;
  /// Disarms and removes it; no wake of it is reported afterwards. Before a kernel
  /// device's link ends: a parked command of 6.1 would hold up this process.
  virtual void forget(unsigned id) noexcept = 0;

  /// Asks for one doorbell for events at or past `cursor`.
  virtual ArmResult arm(unsigned id, const ArmRequest& request, std::uint64_t cursor) noexcept = 0;
  /// The second half of an arm() that has begun, with what Registration::order_arms() returned
  /// for all of them. @return kArmed or kReady.
  virtual ArmResult end_arm(unsigned id, bool ordered) noexcept = 0;
  /// Takes an arm back. @return whether its doorbell had rung.
  virtual bool disarm(unsigned id) noexcept = 0;

  /// Waits until what was disarmed is no longer under way: at most a second, and only
  /// on a driver. By the thread that armed.
  virtual void settle() noexcept = 0;

  /// Whether wait() would find something: a few loads. False where only asking tells.
  virtual bool pending() const noexcept = 0;
  /// Sleeps until something comes, or for `limit` (negative: no limit; 0: only looks),
  /// and appends what came to `wakes`. @return how many completions it took.
  virtual std::uint64_t wait(std::chrono::microseconds limit,
                             std::vector<Wake>& wakes) noexcept = 0;

  /// Ends a wait() at once, now or the next one. Any thread, and signal handlers.
  void interrupt() noexcept;

 protected:
  Parker();
  /// A device that is armed by ioctl, for whoever polls its descriptor.
  static ArmResult arm_device(RingLink& link, const ArmRequest& request,
                              std::uint64_t cursor) noexcept;
  static void disarm_device(RingLink& link) noexcept;
  /// Why a polled device that was armed at `cursor` became ready.
  static WakeCause cause_of_ready(const RingLink& link, std::uint64_t cursor,
                                  bool hung_up) noexcept;

  int interrupt_fd() const noexcept { return interrupt_fd_.get(); }
  void clear_interrupt() noexcept;

 private:
  FileDescriptor interrupt_fd_;
};

}  // namespace evring
