// SPDX-License-Identifier: MIT
// One consistent look at the status block of a ring, with no system call.
#pragma once

#include <evring/abi.h>
#include <evring/memory.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace evring {

/// struct evring_status as one instant saw it; see abi.h for units.
struct Status {
  evring_status block{};
  std::uint64_t head = 0;       ///< exact, read with the block
  std::uint64_t published = 0;  ///< head - first_sequence: exact

  /// published + dropped, at this instant.
  std::uint64_t offered() const noexcept { return published + block.dropped; }
};

/// Whether the ring will get no more events (enum evring_gone). One relaxed load.
inline std::uint64_t gone(const evring_header& header) noexcept {
  return load_relaxed(reinterpret_cast<const std::uint64_t*>(&header.status.gone));
}

/// Reads the status block under its seqlock.
///
/// @return nothing when no quiet moment was found in `attempt_count` tries: the
///         producer writes all the time, or died in the middle of an update.
/// Any thread, wait-free.
/// Source: the seqlock of H.-J. Boehm, MSPC 2012, fig. 6.
inline std::optional<Status> read_status(const evring_header& header, std::uint64_t first_sequence,
                                         unsigned attempt_count = 1000) noexcept {
  constexpr std::size_t kWordCount = sizeof(evring_status) / sizeof(std::uint64_t);
  const auto* sequence = reinterpret_cast<const std::uint64_t*>(&header.status_sequence);
  const auto* words = reinterpret_cast<const std::uint64_t*>(&header.status);
  for (unsigned attempt = 0; attempt < attempt_count; ++attempt) {
    // (C5) The counter before the block, or an old block passes. Pairs with (P6).
    const std::uint64_t before = load_acquire(sequence);
    if ((before & 1) == 0) {
      std::array<std::uint64_t, kWordCount> copy;
      for (std::size_t i = 0; i < kWordCount; ++i) copy[i] = load_relaxed(words + i);
      const std::uint64_t head = load_relaxed(reinterpret_cast<const std::uint64_t*>(&header.head));
      // (C6) The block before the second look, or a torn one passes. Pairs with (P5).
      fence_acquire();
      if (load_relaxed(sequence) == before) {
        Status status;
        __builtin_memcpy(&status.block, copy.data(), sizeof(status.block));
        status.head = head;
        status.published = head - first_sequence;
        return status;
      }
    }
    cpu_relax();
  }
  return std::nullopt;
}

}  // namespace evring
