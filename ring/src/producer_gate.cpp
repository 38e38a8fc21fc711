// SPDX-License-Identifier: MIT
// The write limit: what the producer may write, declared before it writes; and the
// gate that bounds it in a gated ring. Cursor pages are written by consumers and
// trusted in nothing. Ordering: P1 and P4; the order of claim and look is explained
// in ring/PROTOCOL.md, "Gated".
#include <sched.h>

#include <algorithm>
#include <bit>
#include <ctime>

#include "evring/producer.hpp"
#include "registration_table.hpp"
#include "system.hpp"

namespace evring {
namespace {

/// Few: who waits here has a whole ring ahead of a consumer, which may share this CPU.
constexpr unsigned kSpinRounds = 8;
constexpr unsigned kYieldRounds = 256;
constexpr unsigned kReapEvery = 64;  ///< rounds of a wait, or refusals
constexpr long kSleepNs = 50'000;

/// Waits a little, and a little more patiently each round.
void wait_a_little(unsigned round) noexcept {
  if (round < kSpinRounds) {
    cpu_relax();
  } else if (round < kYieldRounds) {
    ::sched_yield();
  } else {
    const timespec pause{0, kSleepNs};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace

/// Room behind the cursors as they were last seen.
std::uint64_t ProducerCore::known_room(std::uint64_t wanted) const noexcept {
  if (gate_registered_ == 0) return wanted;
  // What was granted stays granted: whoever registered since starts behind it.
  const Sequence limit = later(gate_limit_, write_limit_);
  return std::min(wanted, limit.count_from(next_sequence()));
}

void ProducerCore::store_write_limit(std::uint64_t limit) noexcept {
  write_limit_ = unasked_limit_ = limit;
  store_relaxed(word_of(side_->header->write_limit), limit);
  // (P1) The limit before the payload, or a torn copy passes. Pairs with (C2).
  fence_release();
}

std::uint64_t ProducerCore::claim_room(std::uint64_t count, std::uint64_t at_least,
                                       Clock::time_point deadline) noexcept {
  if (!lease_.is_mine()) return 0;
  const std::uint64_t wanted = std::max(count, claim_ahead_count_);
  const std::uint64_t room = gated_ ? gated_claim(wanted, at_least, deadline) : wanted;
  const std::uint64_t end = next_sequence() + room;
  if (Sequence(end).is_after(write_limit_)) store_write_limit(end);
  return std::min(count, room);
}

/// Says what it means to write, then looks whether anyone registered meanwhile. Only what
/// stands after the look becomes the write limit: a reader takes that one for written.
std::uint64_t ProducerCore::gated_claim(std::uint64_t wanted, std::uint64_t at_least,
                                        Clock::time_point deadline) noexcept {
  bool is_fresh = false;
  for (unsigned round = 0;;) {
    const std::uint64_t room = known_room(wanted);
    if (room < at_least && !is_fresh) {
      refresh_gate();
      is_fresh = true;
      continue;
    }
    // (G4) A limit granted before the claim after it, or a consumer that registers sees
    // neither. Pairs with (G5).
    store_release(&side_->table->claim, next_sequence() + room);
    if (step_hook_ != nullptr) step_hook_(PublishStep::kClaimed);
    // (G2) Claim before look, or a consumer that registers now starts at what is being
    // overwritten. Its membarrier orders this core, or else the fence bit asks for a
    // fence. Pairs with (G1).
    fence_compiler();
    if ((load_relaxed(armed_word_) & EVRING_ARMED_FENCE) != 0) fence_full();
    if (load_relaxed(&side_->table->change_count) != gate_change_count_) {
      refresh_gate();
      continue;
    }
    if (room >= at_least) return room;
    if (deadline == kNow) {
      // Who holds the gate may be dead: a look now and then, not for each drop.
      if (refusal_count_++ % kReapEvery == 0 && reap_blockers(at_least)) continue;
      return room;
    }
    if (deadline != kForever && Clock::now() >= deadline) return room;
    wait_a_little(round);
    if (++round % kReapEvery == 0) reap_blockers(at_least);
    is_fresh = false;
  }
}

void ProducerCore::open_reservation(std::uint64_t count) noexcept {
  reserved_count_ = count;
  unasked_limit_ = next_sequence();
  // Should it never be committed, the limit stays ahead of what it overwrote.
  torn_limit_ = later(torn_limit_, next_sequence() + count);
}

void ProducerCore::close_reservation() noexcept {
  reserved_count_ = 0;
  unasked_limit_ = write_limit_;
}

void ProducerCore::refresh_gate() noexcept {
  // (G3) The count before what it counts, or a change is taken for seen that was not.
  // Pairs with (G1).
  gate_change_count_ = load_acquire(&side_->table->change_count);
  // (G7) Who is registered before what lies in the slots of one who left is written over,
  // or its last reads see new words. Pairs with (G6).
  gate_registered_ = load_acquire(&side_->table->registered);
  std::uint64_t longest_lag = 0;
  for (std::uint64_t rest = gate_registered_; rest != 0; rest &= rest - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(rest));
    refresh_cursor(index);
    longest_lag = std::max(longest_lag, next_sequence() - gate_cursor_[index]);
  }
  gate_limit_ = next_sequence() - longest_lag + mask_ + 1;
}

/// Ends the registrations of the dead among those that leave no room for `wanted` events.
bool ProducerCore::reap_blockers(std::uint64_t wanted) noexcept {
  std::uint64_t blockers = 0;
  for (std::uint64_t rest = gate_registered_; rest != 0; rest &= rest - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(rest));
    if (next_sequence() + wanted - gate_cursor_[index] > mask_ + 1) blockers |= 1ULL << index;
  }
  return reap_seats(*side_, lease_, blockers) > 0;
}

/// A cursor counts when it lies between the one before and what is published: one
/// that goes back or ahead of that is ignored, so it can hold up no one for longer,
/// and lose nothing that its owner has not given up.
void ProducerCore::refresh_cursor(unsigned index) noexcept {
  const RegistrationTable::Entry& entry = side_->table->entries[index];
  // (G3) As above, for the entry's own count. Pairs with (G1).
  const std::uint64_t change = load_acquire(&entry.change_count);
  if (change != gate_entry_change_[index]) {
    gate_entry_change_[index] = change;
    gate_cursor_[index] = load_relaxed(&entry.start);
  }
  // (P4) The cursor before the slots it frees are written, or the consumer's last
  // reads of them see new words. Pairs with (C4).
  const std::uint64_t cursor =
      load_acquire(reinterpret_cast<const std::uint64_t*>(&side_->pages[index]->cursor));
  const std::uint64_t last = gate_cursor_[index];
  if (cursor - last <= next_sequence() - last) gate_cursor_[index] = cursor;
}

}  // namespace evring
