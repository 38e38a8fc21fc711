// SPDX-License-Identifier: MIT
// See registration_table.hpp; the start of a gated consumer is argued in
// ring/PROTOCOL.md, "Gated".
#include "registration_table.hpp"

#include <bit>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "evring/memory.hpp"
#include "evring/sequence.hpp"
#include "system.hpp"

namespace evring {
namespace {

std::uint64_t bit(unsigned index) noexcept { return 1ULL << index; }

std::uint64_t registered(const ProducerSide& side) noexcept {
  return load_relaxed(&side.table->registered);
}

void unregister(ProducerSide& side, unsigned index) noexcept {
  // (G6) All that the consumer read before its absence, or a producer overwrites what it
  // still reads. Pairs with (G7). For another process its socket, or the kernel that
  // dropped its lease, has carried those reads here.
  fetch_and(&side.table->registered, ~bit(index));
  fetch_add(&side.table->change_count, 1);
  fetch_and(word_of(side.doorbell->armed), ~bit(index));
}

/// Takes the lease of a free index, or else of one whose consumer is dead; behind the one
/// given last: a page comes back late to those who may still have it mapped.
int take_index(ProducerSide& side, const Lease& lease, unsigned seat_count) noexcept {
  const auto turn = static_cast<unsigned>(load_relaxed(&side.table->turn) % seat_count);
  for (const std::uint64_t passed_over : {registered(side), ~registered(side)}) {
    for (unsigned i = 0; i < seat_count; ++i) {
      const unsigned index = (turn + i) % seat_count;
      if ((passed_over & bit(index)) != 0 || !lease.take(index)) continue;
      // Whoever had the lease has left nothing behind, or is dead.
      if ((registered(side) & bit(index)) != 0) unregister(side, index);
      store_relaxed(&side.table->turn, index + 1);
      return static_cast<int>(index);
    }
  }
  return -1;
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
  const Geometry& geometry = side.geometry;
  const std::uint64_t limit = load_relaxed(word_of(side.header->write_limit));
  const std::uint64_t oldest =
      oldest_sequence(geometry.first_sequence, limit, head, geometry.slot_count);
  if (start_at == StartAt::kOldest) return oldest;
  // Behind the oldest, an overwriting ring reports the overrun at the first read; a
  // gate there would be shut.
  return geometry.mode == Mode::kGated ? later(sequence, oldest) : sequence;
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
  return oldest_sequence(side.geometry.first_sequence, later(claim, limit), head_of(side),
                         side.geometry.slot_count);
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
               const std::string& name) {
  if (start_at == StartAt::kSequence) check_sequence(side, sequence, name);
  Lease lease(side.lease_fd, name);
  const int taken = take_index(side, lease, seat_count);
  if (taken < 0) {
    throw_errno(name + ": all " + std::to_string(seat_count) +
                    " registrations are taken (registered_count_max)",
                ENOSPC);
  }
  const auto index = static_cast<unsigned>(taken);
  store_relaxed(word_of(side.pages[index]->arm_cursor), 0);
  set_timer(side.timer_fds[index], 0);
  // Whoever gave the seat back may have died before that.
  fetch_and(word_of(side.doorbell->armed), ~bit(index));

  std::uint64_t start = wanted_start(side, start_at, sequence);
  announce(side, index, start);
  if (side.geometry.mode == Mode::kGated) {
    const std::uint64_t safe = start_at == StartAt::kNewest ? head_of(side) : oldest_safe(side);
    start = later(start, safe);
    announce(side, index, start);
  }
  return {index, start, load_relaxed(&side.table->entries[index].change_count), std::move(lease)};
}

Seat share_seat(const ProducerSide& side, const Seat& seat, const std::string& name) {
  Lease lease(side.lease_fd, name);
  // Who ends a registration, or takes its index, has the lease alone: no more from here on.
  if (!lease.share(seat.index) || (registered(side) & bit(seat.index)) == 0 ||
      load_relaxed(&side.table->entries[seat.index].change_count) != seat.change_count) {
    throw_errno(name + ": its registration has ended, with the process that made it", EOWNERDEAD);
  }
  return {seat.index, seat.sequence, seat.change_count, std::move(lease)};
}

void leave_seat(ProducerSide& side, const Seat& seat) noexcept {
  if (!seat.lease.is_mine()) return;
  if (seat.lease.take(seat.index)) unregister(side, seat.index);  // or else it is shared
  seat.lease.give_back(seat.index);
}

unsigned reap_seats(ProducerSide& side, const Lease& lease, std::uint64_t candidates) noexcept {
  unsigned reaped = 0;
  for (std::uint64_t rest = candidates; rest != 0; rest &= rest - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(rest));
    if (!lease.take(index)) continue;
    if ((registered(side) & bit(index)) != 0) {
      unregister(side, index);
      ++reaped;
    }
    lease.give_back(index);
  }
  return reaped;
}

}  // namespace evring
