// SPDX-License-Identifier: MIT
// The parker on epoll, for where io_uring is not allowed. Local rings' descriptors
// are level-triggered (a disarm empties them); a device's is one-shot, made ready
// again by each arm.
#pragma once

#include <evring/poller/parker.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace evring {

class EpollParker final : public Parker {
 public:
  /// @param reason      why not io_uring.
  /// @param may_sleep   false: no doorbells at all; every ring is spun on.
  EpollParker(std::string reason, bool may_sleep);

  void watch(unsigned id, RingLink& link, RungChoice& choice) override;
  void forget(unsigned id) noexcept override;
  void settle() noexcept override {}
  ArmResult arm(unsigned id, const ArmRequest& request, std::uint64_t cursor) noexcept override;
  ArmResult end_arm(unsigned id, bool ordered) noexcept override;
  bool disarm(unsigned id) noexcept override;
  bool pending() const noexcept override { return false; }
  std::uint64_t wait(std::chrono::microseconds limit, std::vector<Wake>& wakes) noexcept override;

 private:
  enum class Kind : std::uint8_t { kInterrupt, kDoorbell, kOwner, kDevice };

  struct Watch {
    RingLink* link = nullptr;  ///< null when forgotten
    bool armed = false;
    bool added = false;        ///< its doorbell is in the epoll set
    std::uint64_t cursor = 0;  ///< of a device's arm
  };

  void control(int operation, int fd, std::uint32_t events, Kind kind, unsigned id) noexcept;
  void remove(int fd) noexcept;
  ArmResult arm_and_add(unsigned id, const ArmRequest& request, std::uint64_t cursor) noexcept;
  void take(std::uint64_t data, std::uint32_t events, std::vector<Wake>& wakes) noexcept;

  std::string reason_;
  bool may_sleep_;
  FileDescriptor epoll_fd_;
  std::vector<Watch> watches_;
};

}  // namespace evring
