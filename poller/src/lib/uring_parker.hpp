// SPDX-License-Identifier: MIT
// The parker on io_uring. Descriptors of local rings are polled by multishot
// requests that stay posted; a device is armed by a command or a one-shot poll
// that travels in the same io_uring_enter as the sleep.
#pragma once

#include "uring.hpp"

#include <evring/poller/parker.hpp>

#include <cstdint>
#include <vector>

namespace evring {

class UringParker final : public Parker {
 public:
  UringParker(UringSupport support, Rung best_rung)
      : support_(std::move(support)), best_rung_(best_rung) {}
  ~UringParker() override;

  /// @return 0, or the errno of the refusal.
  int open() noexcept;

  void watch(unsigned id, RingLink& link, RungChoice& choice) override;
  void forget(unsigned id) noexcept override;
  void settle() noexcept override;
  ArmResult arm(unsigned id, const ArmRequest& request, std::uint64_t cursor) noexcept override;
  ArmResult end_arm(unsigned id, bool ordered) noexcept override;
  bool disarm(unsigned id) noexcept override;
  bool pending() const noexcept override { return ring_.pending(); }
  std::uint64_t wait(std::chrono::microseconds limit, std::vector<Wake>& wakes) noexcept override;

 private:
  /// What a completion is about; the low byte of its user data.
  enum class Kind : std::uint8_t {
    kInterrupt,
    kDoorbell,  ///< local ring: the pipe
    kTimer,     ///< local ring: timerfd
    kOwner,     ///< local ring: the owner's socket
    kCommand,   ///< device: EVRING_URING_ARM
    kPoll,      ///< device: one-shot poll
    kIgnored,   ///< a cancellation or a disarm: nobody asks for its result
  };

  struct Watch {
    RingLink* link = nullptr;  ///< null when forgotten
    RungChoice* choice = nullptr;
    bool armed = false;
    bool doorbell_posted = false;
    bool timer_posted = false;
    bool poll_posted = false;
    bool owner_posted = false;
    std::uint64_t cursor = 0;         ///< of the poll's arm
    std::uint32_t command_count = 0;  ///< commands of this ring that are under way
    std::uint16_t serial = 0;  ///< of the watch, and of the newest command; older ones are stale
  };

  static std::uint64_t pack(Kind kind, unsigned id, std::uint16_t serial) noexcept {
    return static_cast<std::uint64_t>(kind) | static_cast<std::uint64_t>(serial) << 16 |
           static_cast<std::uint64_t>(id) << 32;
  }

  void choose_rung(const RingLink& link, RungChoice& choice) const;
  void post_poll(int fd, unsigned mask, bool multishot, std::uint64_t user_data) noexcept;
  void post_local(unsigned id, Watch& watch) noexcept;
  void post_command(unsigned id, Watch& watch, const evring_arm& arm) noexcept;
  ArmResult arm_by_ioctl(unsigned id, const ArmRequest& request, std::uint64_t cursor) noexcept;
  void remove_poll(std::uint64_t user_data) noexcept;
  void cancel_arm(unsigned id, Watch& watch) noexcept;
  void take(const io_uring_cqe& cqe, std::vector<Wake>& wakes) noexcept;
  void take_local(unsigned id, Kind kind, bool more, std::vector<Wake>& wakes) noexcept;
  void take_command(unsigned id, std::uint16_t serial, int result,
                    std::vector<Wake>& wakes) noexcept;
  void take_poll(unsigned id, std::uint16_t serial, int result, std::vector<Wake>& wakes) noexcept;

  UringSupport support_;
  Rung best_rung_;
  Uring ring_;
  bool interrupt_posted_ = false;
  std::vector<Watch> watches_;
  std::vector<unsigned> new_owners_;  ///< to be posted by the thread that waits
};

}  // namespace evring
