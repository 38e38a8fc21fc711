// SPDX-License-Identifier: MIT
// The options that describe a ring, the same for every command that makes one.
#pragma once

#include <cstdint>
#include <evring/local_ring.hpp>
#include <string>

#include "tool/program.hpp"

namespace evring::tool {

enum class RingKind : bool { kLocal, kDevice };

/// --slots, --slot-bytes, --format, --mode, --first-sequence.
struct RingShape {
  std::uint64_t slot_count = 4096;
  AnySlotLayout slot{};
  Mode mode = Mode::kOverwrite;
  std::uint64_t first_sequence = 0;
  bool huge_pages = false;  ///< local rings alone

  LocalRingOptions local_options(const std::string& name) const;
  /// @throws Failure (usage): a slot is too small for its format, all of them together pass
  ///         what one mapping may have, or a device does not have that format.
  void check(RingKind kind) const;
};

void add_shape_options(Options& options, RingShape& shape);
/// --hugepages, for what makes local rings.
void add_huge_pages_option(Options& options, bool& huge_pages);
/// Says on standard error that a ring which asked for huge pages has small ones.
void warn_of_small_pages(const LocalRing& ring, bool asked_huge_pages);

const char* to_string(SlotFormat format);
const char* to_string(Mode mode);
const char* source_name(std::uint32_t source);

}  // namespace evring::tool
