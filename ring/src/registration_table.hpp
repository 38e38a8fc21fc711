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
  Lease lease;  ///< of byte `index`: the registration lives as long as its process
};

/// Registers a consumer, which lives as long as this process or until leave_seat().
/// @throws std::system_error (ENOSPC); std::out_of_range for a bad sequence.
Seat take_seat(ProducerSide& side, unsigned seat_count, StartAt start_at, std::uint64_t sequence,
               const std::string& name);

/// Ends a registration: no gate, no doorbell any more. In a forked child: nothing.
void leave_seat(ProducerSide& side, const Seat& seat) noexcept;

/// Ends those registrations in the set `candidates` (bit i: index i) whose process is no
/// more: one system call each. `lease` is any but theirs. @return how many.
unsigned reap_seats(ProducerSide& side, const Lease& lease, std::uint64_t candidates) noexcept;

}  // namespace evring
