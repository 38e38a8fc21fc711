// SPDX-License-Identifier: MIT
#include "uring_parker.hpp"

#include <evring/abi.h>

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace evring {

using std::chrono::microseconds;

namespace {

constexpr unsigned kEntryCount = 256;
constexpr std::size_t kCommandOffset = 48;  ///< of the command area in a 64-byte entry

}  // namespace

int UringParker::open() noexcept { return ring_.open(kEntryCount); }

UringParker::~UringParker() {
  for (unsigned id = 0; id < watches_.size(); ++id) forget(id);
}

void UringParker::choose_rung(const RingLink& link, RungChoice& choice) const {
  if (!link.doorbell_refusal().empty()) {
    choice = {Rung::kSpin, link.doorbell_refusal()};
  } else if (!link.is_device()) {
    choice = {Rung::kUringPoll, "local ring: doorbell and timerfd, polled by io_uring"};
  } else if (best_rung_ != Rung::kUringCommand) {
    choice = {Rung::kUringPoll, "asked for nothing better"};
  } else if (!support_.uring_command) {
    choice = {Rung::kUringPoll, "this kernel has no io_uring commands (before 5.19)"};
  } else if ((link.device_capabilities() & EVRING_CAP_URING_CMD) == 0) {
    choice = {Rung::kUringPoll, "evring.ko was built for a kernel without io_uring commands"};
  } else {
    choice = {Rung::kUringCommand, "evring.ko takes io_uring commands on this kernel"};
  }
}

void UringParker::watch(unsigned id, RingLink& link, RungChoice& choice) {
  if (id >= watches_.size()) watches_.resize(id + 1);
  Watch& watch = watches_[id];
  // Under a number that another ring had, its completions may still be under way.
  const std::uint32_t command_count = watch.command_count;
  const auto serial = static_cast<std::uint16_t>(watch.serial + 1);
  watch = {};
  watch.command_count = command_count;
  watch.serial = serial;
  watch.link = &link;
  watch.choice = &choice;
  choose_rung(link, choice);
  if (link.owner_fd() >= 0) new_owners_.push_back(id);
}

void UringParker::post_poll(int fd, unsigned mask, bool multishot,
                            std::uint64_t user_data) noexcept {
  io_uring_sqe* sqe = ring_.next_sqe();
  sqe->opcode = IORING_OP_POLL_ADD;
  sqe->fd = fd;
  sqe->poll32_events = mask;
  sqe->len = multishot ? IORING_POLL_ADD_MULTI : 0;
  sqe->user_data = user_data;
}

/// Multishot polls end now and then (a full completion queue): posted anew.
void UringParker::post_local(unsigned id, Watch& watch) noexcept {
  if (!watch.doorbell_posted) {
    post_poll(watch.link->registration()->doorbell_fd(), POLLIN, true,
              pack(Kind::kDoorbell, id, watch.serial));
    watch.doorbell_posted = true;
  }
  if (!watch.timer_posted) {
    post_poll(watch.link->registration()->timer_fd(), POLLIN, true,
              pack(Kind::kTimer, id, watch.serial));
    watch.timer_posted = true;
  }
}

void UringParker::post_command(unsigned id, Watch& watch, const evring_arm& arm) noexcept {
  io_uring_sqe* sqe = ring_.next_sqe();
  sqe->opcode = IORING_OP_URING_CMD;
  sqe->fd = watch.link->device()->fd();
  sqe->cmd_op = static_cast<std::uint32_t>(EVRING_URING_ARM);
  std::memcpy(reinterpret_cast<std::byte*>(sqe) + kCommandOffset, &arm, sizeof(arm));
  sqe->user_data = pack(Kind::kCommand, id, ++watch.serial);
  ++watch.command_count;
}

ArmResult UringParker::arm(unsigned id, const ArmRequest& request, std::uint64_t cursor) noexcept {
  Watch& watch = watches_[id];
  if (!watch.link->is_device()) {
    watch.link->registration()->begin_arm(request, cursor);
    watch.armed = true;
    return ArmResult::kBegun;
  }
  if (watch.choice->rung != Rung::kUringCommand) return arm_by_ioctl(id, request, cursor);
  post_command(id, watch, to_abi(request, cursor));
  watch.armed = true;
  return ArmResult::kArmed;
}

ArmResult UringParker::end_arm(unsigned id, bool ordered) noexcept {
  Watch& watch = watches_[id];
  watch.armed = watch.link->registration()->end_arm(ordered);
  if (!watch.armed) return ArmResult::kReady;
  post_local(id, watch);
  return ArmResult::kArmed;
}

ArmResult UringParker::arm_by_ioctl(unsigned id, const ArmRequest& request,
                                    std::uint64_t cursor) noexcept {
  Watch& watch = watches_[id];
  if (arm_device(*watch.link, request, cursor) == ArmResult::kGone) return ArmResult::kGone;
  post_poll(watch.link->device()->fd(), POLLIN, false, pack(Kind::kPoll, id, ++watch.serial));
  watch.poll_posted = true;
  watch.cursor = cursor;
  watch.armed = true;
  return ArmResult::kArmed;
}

bool UringParker::disarm(unsigned id) noexcept {
  Watch& watch = watches_[id];
  if (!watch.armed) return false;
  watch.armed = false;
  if (!watch.link->is_device()) return watch.link->registration()->disarm();
  cancel_arm(id, watch);
  return false;
}

void UringParker::cancel_arm(unsigned id, Watch& watch) noexcept {
  if (watch.command_count != 0) {
    io_uring_sqe* sqe = ring_.next_sqe();
    sqe->opcode = IORING_OP_URING_CMD;
    sqe->fd = watch.link->device()->fd();
    sqe->cmd_op = static_cast<std::uint32_t>(EVRING_URING_DISARM);
    sqe->user_data = pack(Kind::kIgnored, id, 0);
  }
  if (watch.poll_posted) {
    remove_poll(pack(Kind::kPoll, id, watch.serial));
    watch.poll_posted = false;
    disarm_device(*watch.link);
  }
  ++watch.serial;
}

void UringParker::remove_poll(std::uint64_t user_data) noexcept {
  io_uring_sqe* sqe = ring_.next_sqe();
  sqe->opcode = IORING_OP_POLL_REMOVE;
  sqe->fd = -1;
  sqe->addr = user_data;
  sqe->user_data = pack(Kind::kIgnored, 0, 0);
}

void UringParker::forget(unsigned id) noexcept {
  if (id >= watches_.size() || watches_[id].link == nullptr) return;
  disarm(id);
  Watch& watch = watches_[id];
  if (watch.doorbell_posted) remove_poll(pack(Kind::kDoorbell, id, watch.serial));
  if (watch.timer_posted) remove_poll(pack(Kind::kTimer, id, watch.serial));
  if (watch.owner_posted) remove_poll(pack(Kind::kOwner, id, watch.serial));
  std::erase(new_owners_, id);
  watch.choice = nullptr;
  watch.link = nullptr;
  settle();
}

void UringParker::settle() noexcept {
  constexpr int kTries = 100;
  std::vector<Wake> ignored;
  const auto is_busy = [](const Watch& watch) { return watch.command_count != 0 && !watch.armed; };
  for (int i = 0; i < kTries; ++i) {
    if (std::none_of(watches_.begin(), watches_.end(), is_busy)) return;
    wait(microseconds{10000}, ignored);
  }
}

std::uint64_t UringParker::wait(microseconds limit, std::vector<Wake>& wakes) noexcept {
  if (!interrupt_posted_) {
    post_poll(interrupt_fd(), POLLIN, true, pack(Kind::kInterrupt, 0, 0));
    interrupt_posted_ = true;
  }
  for (const unsigned id : new_owners_) {
    if (watches_[id].link == nullptr) continue;
    post_poll(watches_[id].link->owner_fd(), POLLRDHUP, false,
              pack(Kind::kOwner, id, watches_[id].serial));
    watches_[id].owner_posted = true;
  }
  new_owners_.clear();
  ring_.enter(limit);
  return ring_.reap([this, &wakes](const io_uring_cqe& cqe) { take(cqe, wakes); });
}

void UringParker::take(const io_uring_cqe& cqe, std::vector<Wake>& wakes) noexcept {
  const auto kind = static_cast<Kind>(cqe.user_data & 0xff);
  const auto serial = static_cast<std::uint16_t>(cqe.user_data >> 16);
  const auto id = static_cast<unsigned>(cqe.user_data >> 32);
  const bool more = (cqe.flags & IORING_CQE_F_MORE) != 0;
  switch (kind) {
    case Kind::kInterrupt:
      clear_interrupt();
      if (!more) interrupt_posted_ = false;
      break;
    case Kind::kDoorbell:
    case Kind::kTimer:
      if (serial == watches_[id].serial) take_local(id, kind, more, wakes);
      break;
    case Kind::kOwner:
      if (watches_[id].choice != nullptr && serial == watches_[id].serial && cqe.res > 0) {
        disarm(id);
        wakes.push_back({id, WakeCause::kGone});
      }
      break;
    case Kind::kCommand:
      take_command(id, serial, cqe.res, wakes);
      break;
    case Kind::kPoll:
      take_poll(id, serial, cqe.res, wakes);
      break;
    case Kind::kIgnored:
      break;
  }
}

void UringParker::take_local(unsigned id, Kind kind, bool more, std::vector<Wake>& wakes) noexcept {
  Watch& watch = watches_[id];
  if (watch.choice == nullptr) return;
  if (!more) (kind == Kind::kDoorbell ? watch.doorbell_posted : watch.timer_posted) = false;
  if (!watch.armed) return;  // it had been taken back when this one was under way
  watch.armed = false;
  // Whoever rang has cleared the armed bit; to clear up the rest has time until the next
  // arm, which does it. A timer leaves the bit set.
  if (kind == Kind::kTimer) watch.link->registration()->disarm();
  wakes.push_back({id, WakeCause::kDoorbell});
}

void UringParker::take_command(unsigned id, std::uint16_t serial, int result,
                               std::vector<Wake>& wakes) noexcept {
  Watch& watch = watches_[id];
  --watch.command_count;
  if (watch.choice == nullptr || !watch.armed || serial != watch.serial) return;
  watch.armed = false;
  if (result >= 0) {
    wakes.push_back({id, WakeCause::kDoorbell});
  } else if (result == -ENODEV) {
    wakes.push_back({id, WakeCause::kGone});
  } else {
    if (result != -ETIME && result != -ECANCELED && result != -EINTR) {
      *watch.choice = {Rung::kUringPoll, "evring.ko refused the io_uring command: " +
                                             std::generic_category().message(-result)};
    }
    wakes.push_back({id, WakeCause::kIdle});
  }
}

void UringParker::take_poll(unsigned id, std::uint16_t serial, int result,
                            std::vector<Wake>& wakes) noexcept {
  Watch& watch = watches_[id];
  if (watch.choice == nullptr || !watch.armed || serial != watch.serial) return;
  watch.armed = false;
  watch.poll_posted = false;
  const bool hung_up = result > 0 && (result & (POLLHUP | POLLERR)) != 0;
  wakes.push_back({id, cause_of_ready(*watch.link, watch.cursor, hung_up)});
}

}  // namespace evring
