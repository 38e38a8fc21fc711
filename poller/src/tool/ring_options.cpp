// SPDX-License-Identifier: MIT
#include "tool/ring_options.hpp"

namespace evring::tool {
LocalRingOptions RingShape::local_options(const std::string& name) const {
  LocalRingOptions options;
  options.slot_count = slot_count;
  options.slot = slot;
  options.mode = mode;
  options.first_sequence = first_sequence;
  options.name = name;
  options.huge_pages = huge_pages;
  return options;
}

void RingShape::check(RingKind kind) const {
  if (slot.bytes < slot_bytes_min(slot.slot_format)) {
    throw usage_error(
        "--slot-bytes",
        fmt::format("{} is not a power of two from {} to {}, as slots of format {} are", slot.bytes,
                    slot_bytes_min(slot.slot_format), EVRING_SLOT_BYTES_MAX,
                    to_string(slot.slot_format)),
        "take larger ones, or --format packed");
  }
  const std::uint64_t bytes = EVRING_HEADER_BYTES + slot_count * slot.bytes;
  if (bytes > EVRING_MAPPING_BYTES_MAX) {
    throw usage_error("--slots",
                      fmt::format("{} slots of {} bytes pass the {} MiB of one mapping", slot_count,
                                  slot.bytes, EVRING_MAPPING_BYTES_MAX >> 20),
                      "take fewer or smaller ones");
  }
  if (kind == RingKind::kDevice && !has_stamp(slot.slot_format)) {
    throw usage_error("--format packed", "the slots of a device carry a stamp",
                      "take --format bare");
  }
}

void add_shape_options(Options& options, RingShape& shape) {
  options.power_of_two("--slots", shape.slot_count, EVRING_SLOT_COUNT_MIN, EVRING_SLOT_COUNT_MAX,
                       "Slots of the ring, a power of two");
  options.power_of_two("--slot-bytes", shape.slot.bytes, EVRING_PACKED_BYTES_MIN,
                       EVRING_SLOT_BYTES_MAX, "Bytes of a slot, a power of two");
  options.choice("--format", shape.slot.slot_format,
                 {{"bare", SlotFormat::kBare},
                  {"timestamp", SlotFormat::kTimestamp},
                  {"full", SlotFormat::kFull},
                  {"packed", SlotFormat::kPacked}},
                 "What a slot carries beside payload: packed, bare, timestamp or full (default)");
  options.choice("--mode", shape.mode, {{"overwrite", Mode::kOverwrite}, {"gated", Mode::kGated}},
                 "overwrite (default) or gated");
  options.number("--first-sequence", shape.first_sequence, 0, UINT64_MAX,
                 "Sequence of the first event");
}

void add_huge_pages_option(Options& options, bool& huge_pages) {
  options.flag("--hugepages", huge_pages,
               "Local rings on huge pages; on small ones, with a word, where none are free");
}

void warn_of_small_pages(const LocalRing& ring, bool asked_huge_pages) {
  if (!asked_huge_pages || ring.huge_pages()) return;
  fmt::print(stderr,
             "evring: local ring '{}': no huge pages are free; it has small ones "
             "('evring doctor' says how to reserve some)\n",
             ring.name());
}

const char* to_string(SlotFormat format) {
  switch (format) {
    case SlotFormat::kBare:
      return "bare";
    case SlotFormat::kTimestamp:
      return "timestamp";
    case SlotFormat::kFull:
      return "full";
    case SlotFormat::kPacked:
      return "packed";
  }
  return "unknown";
}

const char* to_string(Mode mode) { return mode == Mode::kGated ? "gated" : "overwrite"; }

const char* source_name(std::uint32_t source) {
  switch (source) {
    case EVRING_SOURCE_LOCAL:
      return "local";
    case EVRING_SOURCE_SOFT:
      return "soft";
    case EVRING_SOURCE_TIMER:
      return "timer";
    case EVRING_SOURCE_DRIVER:
      return "driver";
    default:
      return "unknown";
  }
}

}  // namespace evring::tool
