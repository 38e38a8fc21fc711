// SPDX-License-Identifier: MIT
// See registration_table.hpp; the start of a gated consumer is argued in
// ring/PROTOCOL.md, "Gated".
#include "registration_table.hpp"

#include <signal.h>

#include <cerrno>
#include <stdexcept>

#include "evring/memory.hpp"
#include "system.hpp"

namespace evring {
namespace {

std::uint64_t bit(unsigned index) noexcept { return 1ULL << index; }

/// Takes a free index, starting behind the one given last: a page comes back late to
/// those who may still have it mapped.
int take_index(RegistrationTable& table, unsigned seat_count) noexcept {
  std::uint64_t taken = load_relaxed(&table.taken);
  for (;;) {
    const auto turn = static_cast<unsigned>(load_relaxed(&table.change_count) % seat_count);
    int found = -1;
    for (unsigned i = 0; i < seat_count && found < 0; ++i) {
      const unsigned index = (turn + i) % seat_count;
      if ((taken & bit(index)) == 0) found = static_cast<int>(index);
    }
    if (found < 0) return -1;
    if (compare_exchange(&table.taken, taken, taken | bit(static_cast<unsigned>(found)))) {
      return found;
    }
  }
}

std::uint64_t oldest_of(const Geometry& geometry, std::uint64_t head) noexcept {
  const std::uint64_t first = geometry.first_sequence;
  return head - first > geometry.slot_count ? head - geometry.slot_count : first;
}

std::uint64_t head_of(const ProducerSide& side) noexcept {
  // (C3) What lies before head is whole. Pairs with (P3).
  return load_acquire(reinterpret_cast<const std::uint64_t*>(&side.header->head));
}

/// Where the consumer would start if nothing were overwritten meanwhile.
std::uint64_t wanted_start(const ProducerSide& side, StartAt start_at,
                           std::uint64_t sequence) noexcept {
  const std::uint64_t head = head_of(side);
  if (start_at == StartAt::kNewest) return head;
  const std::uint64_t oldest = oldest_of(side.geometry, head);
  if (start_at == StartAt::kOldest) return oldest;
  // Behind the oldest, an overwriting ring reports the overrun at the first read; a
  // gate there would be shut.
  const bool is_gone = static_cast<std::int64_t>(oldest - sequence) > 0;
  return side.geometry.mode == Mode::kGated && is_gone ? oldest : sequence;
}

void announce(ProducerSide& side, unsigned index, std::uint64_t start) noexcept {
  RegistrationTable::Entry& entry = side.table->entries[index];
  store_relaxed(word_of(side.pages[index]->cursor), start);
  store_relaxed(&entry.start, start);
  fetch_add(&entry.change_count, 1);
  fetch_or(&side.table->registered, bit(index));
  fetch_add(&side.table->change_count, 1);
  // (G1) The registration before the look at what the producer claims and stored, or
  // both miss each other. Pairs with (G2), by membarrier or by fences on both sides; the
  // counts come after what they count. Pairs with (G3).
  if (!expensive_barrier()) {
    fetch_or(word_of(side.doorbell->armed), EVRING_ARMED_FENCE);
    fence_full();
  }
}

/// The oldest sequence that the producer cannot be about to overwrite: it has seen the
/// registration, or what it may write without having seen it is claimed or within its limit.
std::uint64_t oldest_safe(const ProducerSide& side) noexcept {
  // (G5) The claim before the limit that earlier ones were granted. Pairs with (G4).
  const std::uint64_t claim = load_acquire(&side.table->claim);
  const std::uint64_t limit = load_relaxed(word_of(side.header->write_limit));
  const std::uint64_t head = head_of(side);
  std::uint64_t written = head;
  if (static_cast<std::int64_t>(claim - written) > 0) written = claim;
  if (static_cast<std::int64_t>(limit - written) > 0) written = limit;
  const std::uint64_t oldest = oldest_of(side.geometry, written);
  return static_cast<std::int64_t>(oldest - head) > 0 ? head : oldest;
}

void check_sequence(const ProducerSide& side, std::uint64_t sequence, const std::string& name) {
  const std::uint64_t first = side.geometry.first_sequence;
  const std::uint64_t head = head_of(side);
  if (sequence - first > head - first) {
    throw std::out_of_range(name + ": sequence " + std::to_string(sequence) +
                            " is not between the first, " + std::to_string(first) + ", and head, " +
                            std::to_string(head));
  }
}

}  // namespace

Seat take_seat(ProducerSide& side, unsigned seat_count, StartAt start_at, std::uint64_t sequence,
               std::uint64_t pid, const std::string& name) {
  if (start_at == StartAt::kSequence) check_sequence(side, sequence, name);
  int taken = take_index(*side.table, seat_count);
  if (taken < 0 && reap_seats(side) > 0) taken = take_index(*side.table, seat_count);
  if (taken < 0) {
    throw_errno(name + ": all " + std::to_string(seat_count) +
                    " registrations are taken (registered_count_max)",
                ENOSPC);
  }
  const auto index = static_cast<unsigned>(taken);
  store_relaxed(&side.table->entries[index].pid, pid);
  store_relaxed(word_of(side.pages[index]->arm_cursor), 0);
  set_timer(side.timer_fds[index], 0);
  drain(side.timer_fds[index]);
  drain(side.doorbell_fds[index]);

  std::uint64_t start = wanted_start(side, start_at, sequence);
  announce(side, index, start);
  if (side.geometry.mode == Mode::kGated) {
    const std::uint64_t safe = start_at == StartAt::kNewest ? head_of(side) : oldest_safe(side);
    if (static_cast<std::int64_t>(safe - start) > 0) start = safe;
    announce(side, index, start);
  }
  return {index, start};
}

void leave_seat(ProducerSide& side, unsigned index) noexcept {
  RegistrationTable& table = *side.table;
  fetch_and(&table.registered, ~bit(index));
  fetch_add(&table.change_count, 1);
  fetch_and(word_of(side.doorbell->armed), ~bit(index));
  store_relaxed(&table.entries[index].pid, 0);
  fetch_and(&table.taken, ~bit(index));
}

unsigned reap_seats(ProducerSide& side) noexcept {
  unsigned reaped = 0;
  for (unsigned index = 0; index < EVRING_CONSUMER_COUNT_MAX; ++index) {
    if ((load_relaxed(&side.table->taken) & bit(index)) == 0) continue;
    std::uint64_t pid = load_relaxed(&side.table->entries[index].pid);
    if (pid == 0 || ::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH) continue;
    // Whoever takes the pid away ends the registration: nobody does it twice.
    if (!compare_exchange(&side.table->entries[index].pid, pid, 0)) continue;
    leave_seat(side, index);
    ++reaped;
  }
  return reaped;
}

}  // namespace evring
