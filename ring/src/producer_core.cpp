// SPDX-License-Identifier: MIT
// The producer's set-up, takeover, status block and doorbells. The gate is in
// producer_gate.cpp. Ordering: P5, P6 and D2, explained in ring/PROTOCOL.md.
#include <bit>
#include <ctime>

#include "evring/producer.hpp"
#include "fork_private.hpp"
#include "system.hpp"

namespace evring {
namespace {

constexpr std::size_t kStatusWordCount = sizeof(evring_status) / sizeof(std::uint64_t);
constexpr std::size_t kGoneWord = EVRING_OFFSETOF(evring_status, gone) / sizeof(std::uint64_t);

std::uint64_t clock_ns(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

ProducerCore::ProducerCore(const LocalRing& ring, WhenFull when_full)
    : side_(ring.producer_side()), lease_(side_->lease_fd, ring.name()), when_full_(when_full) {
  if (!lease_.take(kProducerByte)) throw_errno(ring.name() + ": has a living producer", EBUSY);
  slots_ = side_->slots;
  mask_ = side_->geometry.slot_count - 1;
  head_word_ = word_of(side_->header->head);
  armed_word_ = word_of(side_->doorbell->armed);
  gated_ = side_->geometry.mode == Mode::kGated;
  // A gate gives up no history for a long claim; an overwriting ring gives up this much.
  claim_ahead_count_ = std::max<std::uint64_t>(side_->geometry.slot_count / (gated_ ? 4 : 32), 1);
  timer_started_for_.fill(side_->geometry.first_sequence - 1);
  if (!register_cheap_barrier()) {
    fetch_or(armed_word_, EVRING_ARMED_FENCE);
  }
  disown_in_forks(this, [](void* self) { static_cast<ProducerCore*>(self)->disown(); });
  take_over();
}

ProducerCore::~ProducerCore() {
  forget_in_forks(this);
  if (!lease_.is_mine()) return;
  // What was claimed ahead was not touched, unless by a producer that died.
  store_write_limit(later(torn_limit_, next_sequence()));
  store_relaxed(&side_->table->claim, write_limit_);
  refresh_status();
}

/// Head only grows, so no limit that lies behind it grants anything: what is published
/// from here asks first, and is refused.
void ProducerCore::disown() noexcept {
  write_limit_ = unasked_limit_ = next_sequence() - 1;
  reserved_count_ = 0;
}

void ProducerCore::take_over() noexcept {
  load_status();
  const std::uint64_t next = repair_slots();
  // (P3) What the dead producer had made READY before head. Pairs with (C3).
  store_release(head_word_, next);
  ++generation_;
  refresh_status();
  // (D2) Head before the look at who is armed: the dead producer may have owed a doorbell
  // for any event in the ring. Pairs with (D1).
  fence_full();
  const std::uint64_t armed = load_relaxed(armed_word_);
  if (armed != 0) ring_doorbells(armed, mask_ + 1);
}

/// Carries the counters on. A block torn by death in mid-update mixes older words with
/// newer ones; each of them was true.
void ProducerCore::load_status() noexcept {
  evring_status& status = side_->header->status;
  dropped_ = load_relaxed(word_of(status.dropped));
  doorbells_rung_ = load_relaxed(word_of(status.doorbells_rung));
  doorbells_suppressed_ = load_relaxed(word_of(status.doorbells_suppressed));
  last_event_ns_ = load_relaxed(word_of(status.last_event_ns));
  generation_ = load_relaxed(word_of(status.generation));
  repaired_ = load_relaxed(word_of(status.repaired));
  lock_wait_ns_ = load_relaxed(word_of(status.lock_wait_ns));
  lock_contended_ = load_relaxed(word_of(status.lock_contended));
}

/// Finds the next sequence, and counts what was claimed behind it, which may be half-written.
/// Relaxed: the kernel passed the lock on, and with it all that its last holder stored.
std::uint64_t ProducerCore::repair_slots() noexcept {
  std::uint64_t next = load_relaxed(head_word_);
  const std::uint64_t limit = load_relaxed(word_of(side_->header->write_limit));
  // Never lowered before these are written anew: a reader may be in the middle of one.
  write_limit_ = unasked_limit_ = torn_limit_ = limit;
  store_relaxed(&side_->table->claim, limit);  // beyond, a dead one asked and wrote nothing
  if (has_stamp(side_->geometry.slot.format())) {
    next = repair_stamps(next, limit);
  } else {
    count_taken_back(next, limit);
  }
  // (P9) The limit that was taken over before the payloads that rest on it: its own P1 was
  // the dead one's, or a torn copy passes. Pairs with (C2).
  fence_release();
  return next;
}

/// What is READY from `next` on could be read already and is published; the slots behind it
/// are marked BUSY, so that whoever still wants what they held before learns that it is lost.
std::uint64_t ProducerCore::repair_stamps(std::uint64_t next, std::uint64_t limit) noexcept {
  const auto stamp_of = [this](std::uint64_t sequence) {
    return reinterpret_cast<std::uint64_t*>(slots_ +
                                            (sequence & mask_) * side_->geometry.slot.slot_bytes());
  };
  while (Sequence(limit).is_after(next) &&
         load_relaxed(stamp_of(next)) == EVRING_STAMP_READY(next)) {
    ++next;
  }
  for (std::uint64_t torn = next; Sequence(limit).is_after(torn); ++torn) {
    // BUSY with this very sequence: it was taken back before, and counted then.
    if (load_relaxed(stamp_of(torn)) == EVRING_STAMP_BUSY(torn)) continue;
    store_relaxed(stamp_of(torn), EVRING_STAMP_BUSY(torn));
    ++repaired_;
  }
  return next;
}

/// Packed slots: behind head nothing was ever published, and the limit says what is lost. No
/// stamp tells that a sequence was taken back before, so the table does.
void ProducerCore::count_taken_back(std::uint64_t next, std::uint64_t limit) noexcept {
  const Sequence uncounted = later(next, load_relaxed(&side_->table->repaired_limit));
  repaired_ += Sequence(limit).count_from(uncounted);
  store_relaxed(&side_->table->repaired_limit, later(limit, uncounted));
}

std::uint64_t ProducerCore::now_ns() const noexcept { return clock_ns(CLOCK_MONOTONIC); }

void ProducerCore::refresh_status() noexcept {
  if (!lease_.is_mine()) return;
  refreshed_next_ = next_sequence();
  refreshed_event_ns_ = last_event_ns_;
  evring_status block{};
  block.published = published();
  block.dropped = dropped_;
  block.doorbells_rung = doorbells_rung_;
  block.doorbells_suppressed = doorbells_suppressed_;
  block.last_event_ns = last_event_ns_;
  block.monotonic_ns = clock_ns(CLOCK_MONOTONIC);
  block.realtime_ns = clock_ns(CLOCK_REALTIME);
  block.generation = generation_;
  block.repaired = repaired_;
  block.lock_wait_ns = lock_wait_ns_;
  block.lock_contended = lock_contended_;

  std::uint64_t* sequence = word_of(side_->header->status_sequence);
  const std::uint64_t odd = load_relaxed(sequence) | 1;
  store_relaxed(sequence, odd);
  // (P5) Odd before the block, or a torn block passes. Pairs with (C6).
  fence_release();
  if (step_hook_ != nullptr) step_hook_(PublishStep::kStatusOdd);
  const auto* from = reinterpret_cast<const std::uint64_t*>(&block);
  auto* to = reinterpret_cast<std::uint64_t*>(&side_->header->status);
  for (std::size_t i = 0; i < kStatusWordCount; ++i) {
    if (i != kGoneWord) store_relaxed(to + i, from[i]);  // that one is the owner's
  }
  // (P6) The block before even, or an old block passes. Pairs with (C5).
  store_release(sequence, odd + 1);
  if (step_hook_ != nullptr) step_hook_(PublishStep::kStatusEven);
}

void ProducerCore::count_drop(std::uint64_t count) noexcept {
  dropped_ += count;
  refresh_status();
}

void ProducerCore::add_lock_wait(std::uint64_t wait_ns) noexcept {
  lock_wait_ns_ += wait_ns;
  ++lock_contended_;
}

void ProducerCore::ring_doorbells(std::uint64_t armed, std::uint64_t count) noexcept {
  if ((armed & EVRING_ARMED_FENCE) != 0) {
    // (D2) by this core itself: somebody has no membarrier. Pairs with (D1).
    fence_full();
    armed = load_relaxed(armed_word_);
  }
  // (D4) The armed bit before the request, or an older request is judged. Pairs with (D1).
  fence_acquire();
  const std::uint64_t rung_before = doorbells_rung_;
  std::uint64_t waiting = armed & load_relaxed(&side_->table->registered);
  for (; waiting != 0; waiting &= waiting - 1) {
    consider_doorbell(static_cast<unsigned>(std::countr_zero(waiting)), count);
  }
  if (doorbells_rung_ != rung_before) refresh_status();
}

/// Reads a request, each word once, and trusts none of them.
void ProducerCore::consider_doorbell(unsigned index, std::uint64_t count) noexcept {
  evring_consumer_page* page = side_->pages[index];
  if (page == nullptr) return;
  const std::uint64_t arm_cursor = load_relaxed(word_of(page->arm_cursor));
  const std::uint64_t asked = load_relaxed(word_of(page->wake_events));
  const std::uint64_t wake_us = load_relaxed(word_of(page->wake_us));
  const std::uint64_t wake_events = std::clamp<std::uint64_t>(asked, 1, mask_ + 1);
  const std::uint64_t lag = Sequence(next_sequence()).count_from(arm_cursor);
  if (lag == 0) return;
  if (lag >= wake_events) {
    ring(index, arm_cursor);
    return;
  }
  ++doorbells_suppressed_;
  // With an event from before this batch, the consumer saw it when it armed and has
  // started the timer itself.
  if (wake_us != 0 && lag <= count) start_timer(index, arm_cursor, wake_us);
}

/// Whoever clears the armed bit rings, so each arm gets one doorbell.
void ProducerCore::ring(unsigned index, std::uint64_t arm_cursor) noexcept {
  const std::uint64_t bit = 1ULL << index;
  if ((fetch_and(armed_word_, ~bit) & bit) == 0) return;
  signal_event(side_->doorbell_fds[index]);
  if (timer_started_for_[index] != arm_cursor) ++doorbells_rung_;
}

/// The timer is the doorbell of this idle period, and counted as one.
void ProducerCore::start_timer(unsigned index, std::uint64_t arm_cursor,
                               std::uint64_t wake_us) noexcept {
  set_timer(side_->timer_fds[index], wake_us);
  timer_started_for_[index] = arm_cursor;
  ++doorbells_rung_;
}

}  // namespace evring
