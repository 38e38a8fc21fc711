// SPDX-License-Identifier: MIT
#include "epoll_parker.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

namespace evring {

EpollParker::EpollParker(std::string reason, bool may_sleep)
    : reason_(std::move(reason)), may_sleep_(may_sleep), epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_fd_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  control(EPOLL_CTL_ADD, interrupt_fd(), EPOLLIN, Kind::kInterrupt, 0);
}

void EpollParker::control(int operation, int fd, std::uint32_t events, Kind kind,
                          unsigned id) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(kind) | static_cast<std::uint64_t>(id) << 32;
  epoll_ctl(epoll_fd_.get(), operation, fd, &event);
}

void EpollParker::remove(int fd) noexcept {
  if (fd >= 0) epoll_ctl(epoll_fd_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EpollParker::watch(unsigned id, RingLink& link, RungChoice& choice) {
  if (id >= watches_.size()) watches_.resize(id + 1);
  watches_[id] = {&link};
  if (!link.doorbell_refusal().empty()) {
    choice = {Rung::kSpin, link.doorbell_refusal()};
  } else {
    choice = {may_sleep_ ? Rung::kEpoll : Rung::kSpin, reason_};
  }
  if (link.owner_fd() >= 0) {
    control(EPOLL_CTL_ADD, link.owner_fd(), EPOLLRDHUP | EPOLLONESHOT, Kind::kOwner, id);
  }
}

void EpollParker::forget(unsigned id) noexcept {
  if (id >= watches_.size() || watches_[id].link == nullptr) return;
  disarm(id);
  Watch& watch = watches_[id];
  if (watch.added && watch.link->is_device()) {
    remove(watch.link->device()->fd());
  } else if (watch.added) {
    remove(watch.link->registration()->doorbell_fd());
    remove(watch.link->registration()->timer_fd());
  }
  remove(watch.link->owner_fd());
  watch = {};
}

ArmResult EpollParker::arm(unsigned id, const ArmRequest& request, std::uint64_t cursor) noexcept {
  Watch& watch = watches_[id];
  if (watch.link->is_device()) return arm_and_add(id, request, cursor);
  watch.link->registration()->begin_arm(request, cursor);
  watch.armed = true;
  return ArmResult::kBegun;
}

ArmResult EpollParker::end_arm(unsigned id, bool ordered) noexcept {
  Watch& watch = watches_[id];
  Registration& registration = *watch.link->registration();
  watch.armed = registration.end_arm(ordered);
  if (!watch.armed) return ArmResult::kReady;
  if (!watch.added) {
    control(EPOLL_CTL_ADD, registration.doorbell_fd(), EPOLLIN, Kind::kDoorbell, id);
    control(EPOLL_CTL_ADD, registration.timer_fd(), EPOLLIN, Kind::kDoorbell, id);
    watch.added = true;
  }
  return ArmResult::kArmed;
}

ArmResult EpollParker::arm_and_add(unsigned id, const ArmRequest& request,
                                   std::uint64_t cursor) noexcept {
  Watch& watch = watches_[id];
  if (arm_device(*watch.link, request, cursor) == ArmResult::kGone) return ArmResult::kGone;
  control(watch.added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch.link->device()->fd(),
          EPOLLIN | EPOLLONESHOT, Kind::kDevice, id);
  watch.added = true;
  watch.cursor = cursor;
  watch.armed = true;
  return ArmResult::kArmed;
}

bool EpollParker::disarm(unsigned id) noexcept {
  Watch& watch = watches_[id];
  if (!watch.armed) return false;
  watch.armed = false;
  if (!watch.link->is_device()) return watch.link->registration()->disarm();
  disarm_device(*watch.link);
  return false;
}

std::uint64_t EpollParker::wait(std::chrono::microseconds limit,
                                std::vector<Wake>& wakes) noexcept {
  std::array<epoll_event, 64> events{};
  const std::int64_t limit_ms = limit.count() < 0 ? -1 : (limit.count() + 999) / 1000;
  const int count = epoll_wait(
      epoll_fd_.get(), events.data(), static_cast<int>(events.size()),
      static_cast<int>(std::min<std::int64_t>(limit_ms, std::numeric_limits<int>::max())));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    take(event.data.u64, event.events, wakes);
  }
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

void EpollParker::take(std::uint64_t data, std::uint32_t events,
                       std::vector<Wake>& wakes) noexcept {
  const auto kind = static_cast<Kind>(data & 0xff);
  const auto id = static_cast<unsigned>(data >> 32);
  if (kind == Kind::kInterrupt) {
    clear_interrupt();
    return;
  }
  Watch& watch = watches_[id];
  if (watch.link == nullptr) return;
  if (kind == Kind::kOwner) {
    disarm(id);
    wakes.push_back({id, WakeCause::kGone});
    return;
  }
  if (!watch.armed) return;
  watch.armed = false;
  if (kind == Kind::kDevice) {
    const bool hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0;
    wakes.push_back({id, cause_of_ready(*watch.link, watch.cursor, hung_up)});
  } else {
    watch.link->registration()->disarm();
    wakes.push_back({id, WakeCause::kDoorbell});
  }
}

}  // namespace evring
