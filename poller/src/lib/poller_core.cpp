// SPDX-License-Identifier: MIT
#include <evring/memory.hpp>
#include <evring/poller/poller_core.hpp>

#include <sched.h>

#include <algorithm>
#include <utility>

namespace evring {

using std::chrono::microseconds;

PollerCore::PollerCore(PollerOptions options)
    : options_(std::move(options)), parker_(Parker::make(options_.best_rung)) {}

unsigned PollerCore::add_link(RingLink& link, const Balance& balance) {
  const auto id = static_cast<unsigned>(rings_.size());
  auto ring = std::make_unique<RingState>();
  ring->link = &link;
  parker_->watch(id, link, ring->choice);
  publish_balance(*ring, balance);
  rings_.push_back(std::move(ring));
  hot_.reserve(rings_.size());
  quiet_.reserve(rings_.size());
  hot_.insert(id);
  ++alive_count_;
  return id;
}

void PollerCore::forget_all() noexcept {
  for (unsigned id = 0; id < rings_.size(); ++id) {
    if (rings_[id]->state != State::kGone) parker_->forget(id);
  }
}

PollerCore::Clock::time_point PollerCore::now() noexcept {
  if (!now_known_) now_ = Clock::now();
  now_known_ = true;
  return now_;
}

void PollerCore::note_empty(unsigned id, std::uint64_t cursor) {
  RingState& ring = *rings_[id];
  const bool at_once = options_.strategy == WaitStrategy::kPark;
  if (ring.state == State::kHot) {
    if (!at_once && ring.empty_streak < kHotEmptyLooks) return;
    move_to(id, State::kQuiet);
    if (options_.strategy == WaitStrategy::kAdaptive) ring.quiet_since = now();
  }
  if (!parks() || ring.choice.rung == Rung::kSpin) return;
  if (at_once || now() - ring.quiet_since >= options_.spin) arm(id, cursor);
}

void PollerCore::arm(unsigned id, std::uint64_t cursor) {
  RingState& ring = *rings_[id];
  ring.counters.arms.add(1);
  ring.armed_cursor = cursor;
  const ArmResult result = parker_->arm(id, options_.arm, cursor);
  ring.empty_streak = 0;
  if (result == ArmResult::kArmed) {
    move_to(id, State::kArmed);
    // An owner that went between the last look and the arm rings no more.
    if (ring.link->gone() != GoneReason::kNot) unarm(id);
    return;
  }
  if (result == ArmResult::kGone && ring.link->gone() == GoneReason::kNot) {
    ring.link->note_gone(GoneReason::kRemoved);
  }
  move_to(id, State::kHot);
}

void PollerCore::unarm(unsigned id) noexcept {
  RingState& ring = *rings_[id];
  if (ring.state != State::kArmed) return;
  if (parker_->disarm(id)) count_doorbell(ring);
  ring.empty_streak = 0;
  move_to(id, State::kHot);
}

void PollerCore::unarm_all() noexcept {
  for (unsigned id = 0; id < rings_.size(); ++id) unarm(id);
  parker_->settle();
}

void PollerCore::count_doorbell(RingState& ring) noexcept {
  ring.counters.doorbells.add(1);
  counters_.doorbells.add(1);
}

void PollerCore::retire(unsigned id) {
  parker_->forget(id);
  move_to(id, State::kGone);
  --alive_count_;
  if (options_.on_gone) options_.on_gone(id, rings_[id]->link->gone());
}

void PollerCore::wait_for_work() {
  if (!parks()) {
    if (options_.strategy == WaitStrategy::kYield) sched_yield();
    cpu_relax();
  } else if (hot_.size() != 0) {
    cpu_relax();
  } else if (quiet_.size() == 0) {
    if (armed_count_ != 0) park();
  } else if (has_no_doorbell_to_wait_for()) {
    sched_yield();
  } else {
    cpu_relax();
  }
}

bool PollerCore::has_no_doorbell_to_wait_for() const noexcept {
  return std::all_of(quiet_.begin(), quiet_.end(),
                     [this](unsigned id) { return rings_[id]->choice.rung == Rung::kSpin; });
}

void PollerCore::park() {
  const microseconds max_idle = options_.arm.max_idle;
  counters_.parks.add(1);
  const std::uint64_t doorbells = counters_.doorbells;
  const std::uint64_t completions = counters_.completions;
  collect_wakes(max_idle.count() == 0 ? microseconds{-1} : max_idle);
  const bool idle = counters_.completions == completions ||
                    std::any_of(wakes_.begin(), wakes_.end(),
                                [](const Wake& wake) { return wake.cause == WakeCause::kIdle; });
  if (counters_.doorbells != doorbells) {
    counters_.wakes.add(1);
    woken_ = true;
  } else if (idle) {
    counters_.idle_wakes.add(1);
  }
  now_known_ = false;
  recheck_armed();
}

void PollerCore::look_after_armed() {
  if (parker_->pending() || pass_ % kPassesPerParkerLook == 0) collect_wakes(microseconds{0});
  if (armed_count_ != 0) recheck_armed();
}

/// Whoever failed to ring: every max_idle each armed ring is looked at once.
void PollerCore::recheck_armed() {
  const microseconds max_idle = options_.arm.max_idle;
  if (armed_count_ == 0 || max_idle.count() == 0 || now() - last_recheck_ < max_idle) return;
  last_recheck_ = now();
  for (unsigned id = 0; id < rings_.size(); ++id) {
    const RingState& ring = *rings_[id];
    if (ring.state != State::kArmed) continue;
    const auto* head = reinterpret_cast<const std::uint64_t*>(&ring.link->mapping().header()->head);
    const bool has_work = load_relaxed(head) != ring.armed_cursor;
    if (has_work || ring.link->gone() != GoneReason::kNot) unarm(id);
  }
}

void PollerCore::collect_wakes(microseconds limit) {
  wakes_.clear();
  counters_.completions.add(parker_->wait(limit, wakes_));
  for (const Wake& wake : wakes_) {
    RingState& ring = *rings_[wake.id];
    if (ring.state == State::kGone) continue;
    if (wake.cause == WakeCause::kDoorbell) count_doorbell(ring);
    if (wake.cause == WakeCause::kGone && ring.link->gone() == GoneReason::kNot) {
      ring.link->note_gone(ring.link->is_device() ? GoneReason::kRemoved : GoneReason::kOwnerDied);
    }
    ring.empty_streak = 0;
    if (ring.state != State::kHot) move_to(wake.id, State::kHot);
  }
}

void PollerCore::move_to(unsigned id, State state) noexcept {
  RingState& ring = *rings_[id];
  if (ring.state == State::kHot) hot_.erase(id);
  if (ring.state == State::kQuiet) quiet_.erase(id);
  if (ring.state == State::kArmed) --armed_count_;
  ring.state = state;
  if (state == State::kHot) hot_.insert(id);
  if (state == State::kQuiet) quiet_.insert(id);
  if (state == State::kArmed) ++armed_count_;
}

void PollerCore::publish_balance(RingState& ring, const Balance& balance) noexcept {
  ring.counters.start.set(balance.start);
  ring.counters.cursor.set(balance.cursor);
  ring.counters.received.set(balance.received);
  ring.counters.lost.set(balance.lost);
  ring.counters.overruns.set(balance.overruns);
}

}  // namespace evring
