// SPDX-License-Identifier: MIT
// Who is registered at a local ring: taking an index, finding a start that a gated
// producer will not overwrite, giving the index back. Lock-free, for the owner's
// threads and its forked children at once.
#pragma once

#include <evring/local_ring.hpp>

#include <cstdint>
#include <string>

namespace evring {

struct Seat {
  unsigned index = 0;
  std::uint64_t sequence = 0;
};

/// Registers a consumer.
///
/// @param pid  of the process whose death ends the registration; 0 when a socket tells.
/// @throws std::system_error (ENOSPC); std::out_of_range for a bad sequence.
Seat take_seat(ProducerSide& side, unsigned seat_count, StartAt start_at, std::uint64_t sequence,
               std::uint64_t pid, const std::string& name);

/// Ends a registration: no gate, no doorbell any more.
void leave_seat(ProducerSide& side, unsigned index) noexcept;

/// Ends the registrations of processes that are no more. @return how many.
unsigned reap_seats(ProducerSide& side) noexcept;

}  // namespace evring
