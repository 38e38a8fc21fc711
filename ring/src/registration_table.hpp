// SPDX-License-Identifier: MIT
// Who is registered at a local ring: taking an index, finding a start that a gated
// producer will not overwrite, giving the index back. For the owner's threads and its
// forked children at once: who holds the lease of an index may change its entry.
#pragma once

#include <evring/consumer.hpp>
#include <evring/detail/lease.hpp>
#include <evring/detail/producer_side.hpp>

#include <cstdint>
#include <string>

namespace evring {

struct Seat {
  unsigned index = 0;
  std::uint64_t sequence = 0;
  std::uint64_t change_count = 0;  ///< of its entry: tells it from later ones at that index
  Lease lease;  ///< of byte `index`: the registration lives as long as its process
};

/// Registers a consumer, which lives as long as this process or until leave_seat().
/// @throws std::system_error (ENOSPC); std::out_of_range for a bad sequence.
Seat take_seat(ProducerSide& side, unsigned seat_count, StartAt start_at, std::uint64_t sequence,
               const std::string& name);

/// The same registration for a process forked of the one that took `seat`, whose lease must
/// be shared: it lives until both have ended.
/// @throws std::system_error (EOWNERDEAD): it has ended.
Seat share_seat(const ProducerSide& side, const Seat& seat, const std::string& name);

/// Ends a registration that nobody else shares: no gate, no doorbell any more. In a forked
/// child: nothing.
void leave_seat(ProducerSide& side, const Seat& seat) noexcept;

/// Ends those registrations in the set `candidates` (bit i: index i) whose process is no
/// more: one system call each. `lease` is any but theirs. @return how many.
unsigned reap_seats(ProducerSide& side, const Lease& lease, std::uint64_t candidates) noexcept;

}  // namespace evring
