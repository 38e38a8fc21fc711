// SPDX-License-Identifier: MIT
// Arm and disarm, the consumer's side of a doorbell. Ordering: D1, explained in
// ring/PROTOCOL.md, "Doorbells".
#include "registration.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "evring/memory.hpp"
#include "evring/sequence.hpp"
#include "evring/status.hpp"
#include "system.hpp"

namespace evring {

Registration::Impl::~Impl() {
  if (!mark.is_here()) return;
  disarm();
  if (memory != nullptr) {
    leave_seat(memory->side, seat);
  } else if (owner) {
    // Says that this consumer has left, without hanging up on whoever still watches
    // the owner through another descriptor of this connection.
    ::shutdown(owner.get(), SHUT_WR);
  }
}

void Registration::Impl::open_doorbell(int pipe_end, const std::string& name) {
  const std::string path = "/proc/self/fd/" + std::to_string(pipe_end);
  doorbell_fd = FileDescriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!doorbell_fd) throw_errno(name + ": opening its doorbell, " + path);
  drain(doorbell_fd.get());
}

void Registration::Impl::begin_arm(const ArmRequest& request, std::uint64_t cursor) noexcept {
  if (!mark.is_here()) return;
  if (is_armed) disarm();
  armed_cursor = cursor;
  armed_wake_us = static_cast<std::uint64_t>(std::max<std::int64_t>(request.wake.count(), 0));
  // Without a time to wait, the first event rings.
  armed_events =
      armed_wake_us == 0 ? 1 : std::clamp<std::uint64_t>(request.wake_events, 1, slot_count);
  // (C4) Payload reads before the cursor. Pairs with (P4).
  store_release(word_of(page->cursor), cursor);
  store_relaxed(word_of(page->arm_cursor), cursor);
  store_relaxed(word_of(page->wake_events), armed_events);
  store_relaxed(word_of(page->wake_us), armed_wake_us);
  // (D1) The request before the armed bit. Pairs with (D4).
  is_armed = true;
  fetch_or(word_of(doorbell->armed), bit());
}

bool Registration::Impl::end_arm(bool ordered) noexcept {
  if (!is_armed || !mark.is_here()) return false;
  // (D1) The request and the armed bit before the second look at head, or an event
  // published in between rings nobody. Pairs with (D2): order_arms() ran a barrier on the
  // producer's core for it, or else the producer fences by itself. The bit before the look
  // at gone. Pairs with (D5).
  if (!ordered) {
    fetch_or(word_of(doorbell->armed), EVRING_ARMED_FENCE);
    fence_full();
  }
  const std::uint64_t head = load_acquire(reinterpret_cast<const std::uint64_t*>(&header->head));
  const std::uint64_t lag = Sequence(head).count_from(armed_cursor);
  if (lag >= armed_events || gone(*header) != EVRING_GONE_NOT) {
    disarm();
    return false;
  }
  // The producer starts the timer with the first event; this one came before the arm.
  if (lag > 0) set_timer(timer_fd, armed_wake_us);
  return true;
}

bool Registration::Impl::disarm() noexcept {
  if (!is_armed || !mark.is_here()) return false;
  is_armed = false;
  const std::uint64_t before = fetch_and(word_of(doorbell->armed), ~bit());
  set_timer(timer_fd, 0);
  bool rang = drain(doorbell_fd.get());
  if (!rang && (before & bit()) == 0) {
    // Claimed, and about to ring: wait for it here, or it would wake the next park.
    pollfd wait{doorbell_fd.get(), POLLIN, 0};
    constexpr int kLongestMs = 10;  // the producer may have died in between
    uninterrupted([&] { return ::poll(&wait, 1, kLongestMs); });
    rang = drain(doorbell_fd.get());
  }
  return rang;
}

Registration::Registration(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Registration::Registration(Registration&&) noexcept = default;
Registration& Registration::operator=(Registration&&) noexcept = default;
Registration::~Registration() = default;

unsigned Registration::index() const noexcept { return impl_->index; }
std::uint64_t Registration::sequence() const noexcept { return impl_->sequence; }
evring_consumer_page* Registration::page() const noexcept { return impl_->page; }
int Registration::doorbell_fd() const noexcept { return impl_->doorbell_fd.get(); }
int Registration::timer_fd() const noexcept { return impl_->timer_fd; }
int Registration::owner_fd() const noexcept { return impl_->owner ? impl_->owner.get() : -1; }
bool Registration::disarm() noexcept { return impl_->disarm(); }
void Registration::begin_arm(const ArmRequest& request, std::uint64_t cursor) noexcept {
  impl_->begin_arm(request, cursor);
}
bool Registration::order_arms() noexcept { return expensive_barrier(); }
bool Registration::end_arm(bool ordered) noexcept { return impl_->end_arm(ordered); }

}  // namespace evring
