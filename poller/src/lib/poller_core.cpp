// SPDX-License-Identifier: MIT
#include <evring/memory.hpp>
#include <evring/poller/poller_core.hpp>

#include <sched.h>

#include <algorithm>
#include <utility>

namespace evring {

using std::chrono::microseconds;

PollerCore::PollerCore(PollerOptions options)
    : options_(std::move(options)),
      post_(options_.name, options_.is_posted),
      counters_(post_.counters()),
      parker_(Parker::make(options_.best_rung)),
      relax_(options_.strategy == WaitStrategy::kBusySpin ? Relax::kPause : best_relax()) {}

PollerCore::Running::Running(PollerCore& core) : core_(core) {
  const std::lock_guard lock(core_.mutex_);
  core_.runner_ = std::this_thread::get_id();
  core_.run_stop_requested_.store(false, std::memory_order_relaxed);
}

PollerCore::Running::~Running() {
  const std::lock_guard lock(core_.mutex_);
  core_.runner_ = {};
}

bool PollerCore::Running::end() noexcept {
  const std::lock_guard lock(core_.mutex_);
  if (core_.has_changes() && !core_.stop_requested()) return false;
  core_.runner_ = {};
  return true;
}

bool PollerCore::runs_elsewhere() const noexcept {
  return runner_ != std::thread::id{} && runner_ != std::this_thread::get_id();
}

void PollerCore::announce_change() noexcept {
  has_changes_.store(true, std::memory_order_relaxed);
  if (runs_elsewhere()) parker_->interrupt();
}

unsigned PollerCore::take_number(const RingLink& link, const Balance& balance) {
  if (free_numbers_.empty()) {
    const std::size_t id = table_.emplace_back([&](RingState& ring, std::size_t number) {
      ring.counters = &post_.show(static_cast<unsigned>(number), link.name());
      publish_balance(ring, balance);
    });
    free_numbers_.reserve(table_.size());  // to give one back allocates nothing
    return static_cast<unsigned>(id);
  }
  const unsigned id = free_numbers_.back();
  RingState& ring = table_[id];
  post_.show(id, link.name());  // the counters are those that this number had
  free_numbers_.pop_back();
  ring.is_leaving = false;
  publish_balance(ring, balance);
  return id;
}

void PollerCore::admit(unsigned id, RingLink& link) {
  for (auto next = rings_.size(); next < table_.size(); ++next) rings_.push_back(&table_[next]);
  hot_.reserve(rings_.size());
  quiet_.reserve(rings_.size());
  arming_.reserve(rings_.size());
  RingState& ring = *rings_[id];
  ring.link = &link;
  ring.empty_streak = 0;
  parker_->watch(id, link, ring.choice);
  move_to(id, State::kHot);
  ++alive_count_;
}

void PollerCore::remove(unsigned id) {
  const std::lock_guard lock(mutex_);
  if (id >= table_.size() || std::exchange(table_[id].is_leaving, true)) return;
  leaving_.push_back(id);
  announce_change();
}

void PollerCore::let_go(unsigned id) {
  if (rings_[id]->state != State::kGone) {
    unarm(id);
    retire(id, GoneReason::kLeft);
  }
}

void PollerCore::give_back_number(unsigned id) noexcept {
  const std::lock_guard lock(mutex_);
  rings_[id]->link = nullptr;
  free_numbers_.push_back(id);
}

std::string PollerCore::post_refusal() const {
  const std::lock_guard lock(mutex_);
  return post_.refusal();
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
  const bool may_arm = parks() && ring.choice.rung != Rung::kSpin;
  if (may_arm && parks_at_once()) return begin_arm(id, cursor);
  if (ring.state == State::kHot) return grow_quiet(id);
  if (!enter_quiet(id)) return move_to(id, State::kHot);
  if (may_arm && now() - ring.quiet_since >= options_.spin) begin_arm(id, cursor);
}

/// Lets a hot ring become quiet that had nothing for a while: this one, or, where some
/// stay hot, the one that had nothing for longest.
void PollerCore::grow_quiet(unsigned id) {
  if (rings_[id]->empty_streak < kHotEmptyLooks) return;
  if (!parks()) {
    if (hot_.size() <= kHotKept) return;
    if (hot_.size() <= 2 * kHotKept) id = longest_quiet_hot();
  }
  if (!enter_quiet(id)) return;
  RingState& ring = *rings_[id];
  if (options_.strategy == WaitStrategy::kAdaptive) ring.quiet_since = now();
}

unsigned PollerCore::longest_quiet_hot() const noexcept {
  return *std::max_element(hot_.begin(), hot_.end(), [this](unsigned a, unsigned b) {
    return rings_[a]->empty_streak < rings_[b]->empty_streak;
  });
}

/// Has the stamp at the ring's cursor watched, or head where slots have none. The word is read
/// once: were it to say already what a published event leaves there, that event would change
/// nothing.
/// @return false when it does; the ring is to be looked at.
bool PollerCore::enter_quiet(unsigned id) {
  RingState& ring = *rings_[id];
  const Mapping& mapping = ring.link->mapping();
  const RingReader<AnySlotLayout> reader(mapping, mapping.geometry().slot);
  const std::uint64_t cursor = ring.counters->cursor;
  const std::uint64_t* word = reader.word_of_next(cursor);
  const std::uint64_t seen = load_relaxed(word);
  if (Sequence(seen).is_after(reader.last_said_before(cursor))) return false;
  if (ring.state == State::kQuiet) {
    quiet_.renew(id, word, seen);
    return true;
  }
  leave_state(id);
  ring.state = State::kQuiet;
  quiet_.insert(id, word, seen);
  if (ring.choice.rung != Rung::kSpin) ++quiet_with_doorbell_count_;
  return true;
}

/// One that is armed behind the pass's barrier counts as armed until that says otherwise, at
/// the end of the same pass: no number is given out again meanwhile.
void PollerCore::begin_arm(unsigned id, std::uint64_t cursor) {
  RingState& ring = *rings_[id];
  ring.counters->arms.add(1);
  ring.armed_cursor = cursor;
  const ArmResult result = parker_->arm(id, options_.arm, cursor);
  ring.empty_streak = 0;
  if (result != ArmResult::kBegun) return take_arm(id, result);
  move_to(id, State::kArmed);
  arming_.push_back(id);
}

void PollerCore::end_arms() noexcept {
  const bool ordered = Registration::order_arms();
  for (const unsigned id : arming_) take_arm(id, parker_->end_arm(id, ordered));
  arming_.clear();
}

void PollerCore::take_arm(unsigned id, ArmResult result) noexcept {
  RingState& ring = *rings_[id];
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
  ring.counters->doorbells.add(1);
  counters_.doorbells.add(1);
}

void PollerCore::retire(unsigned id, GoneReason reason) {
  parker_->forget(id);
  move_to(id, State::kGone);
  --alive_count_;
  {
    const std::lock_guard lock(mutex_);
    post_.hide(id);
  }
  if (options_.on_gone) options_.on_gone(id, reason);
}

void PollerCore::wait_for_work() {
  if (!parks()) {
    if (options_.strategy == WaitStrategy::kYield) sched_yield();
    relax_once(relax_);
  } else if (hot_.size() != 0) {
    relax_once(relax_);
  } else if (quiet_.size() == 0) {
    if (armed_count_ != 0 || (alive_count_ == 0 && options_.stays)) park();
  } else if (quiet_with_doorbell_count_ == 0) {
    sched_yield();
  } else {
    relax_once(relax_);
  }
}

/// What is looked after now and then is looked after before the sleep: after it, an event
/// waits. Who asks for something says so first and interrupts then, and a look of this pass
/// may have taken that interrupt: so what is asked for is looked at last of all.
void PollerCore::park() {
  recheck_armed();
  if (hot_.size() != 0) return;
  const microseconds max_idle = options_.arm.max_idle;
  if (has_changes() || stop_requested()) return;
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

void PollerCore::leave_state(unsigned id) noexcept {
  const RingState& ring = *rings_[id];
  if (ring.state == State::kHot) hot_.erase(id);
  if (ring.state == State::kArmed) --armed_count_;
  if (ring.state != State::kQuiet) return;
  quiet_.erase(id);
  if (ring.choice.rung != Rung::kSpin) --quiet_with_doorbell_count_;
}

/// For kQuiet, see enter_quiet().
void PollerCore::move_to(unsigned id, State state) noexcept {
  leave_state(id);
  rings_[id]->state = state;
  if (state == State::kHot) hot_.insert(id);
  if (state == State::kArmed) ++armed_count_;
}

void PollerCore::publish_balance(RingState& ring, const Balance& balance) noexcept {
  ring.counters->start.set(balance.start);
  ring.counters->cursor.set(balance.cursor);
  ring.counters->received.set(balance.received);
  ring.counters->lost.set(balance.lost);
  ring.counters->overruns.set(balance.overruns);
}

}  // namespace evring
