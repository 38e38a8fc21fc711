// SPDX-License-Identifier: MIT
// Looks at slots: what a stamp means, the copy of an event, whether it is whole.
// The other end of slot_writer.hpp. Ordering: C1 and C2, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>
#include <evring/mapping.hpp>
#include <evring/memory.hpp>
#include <evring/slot.hpp>
#include <evring/words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace evring {

enum class ReadStatus {
  kEvent,    ///< one event (or more, for a burst) was read
  kEmpty,    ///< the event at the cursor is not published yet
  kOverrun,  ///< the producer lapped the cursor: call resync()
};

/// Payload words of a slot seen in place. What it returns may be torn until the
/// visit that handed it out reports kEvent.
template <class Layout>
class SlotView {
 public:
  SlotView(const std::byte* slot, std::uint64_t sequence, Layout layout) noexcept
      : slot_(slot), sequence_(sequence), layout_(layout) {}

  std::uint64_t sequence() const noexcept { return sequence_; }
  std::uint64_t timestamp_ns() const noexcept {
    return layout_.format() == SlotFormat::kBare ? 0 : at(8);
  }
  std::uint32_t type() const noexcept {
    return layout_.format() == SlotFormat::kFull ? static_cast<std::uint32_t>(at(16)) : 0;
  }
  /// Never more than the payload holds, whatever the slot says.
  std::uint32_t length_bytes() const noexcept {
    if (layout_.format() != SlotFormat::kFull) return layout_.payload_bytes();
    const auto stated = static_cast<std::uint32_t>(at(16) >> 32);
    return stated < layout_.payload_bytes() ? stated : layout_.payload_bytes();
  }
  /// Payload word `index` (8 bytes each), index < payload_bytes / 8.
  std::uint64_t word(std::size_t index) const noexcept {
    return at(layout_.payload_offset() + 8 * index);
  }
  const std::uint64_t* words() const noexcept {
    return reinterpret_cast<const std::uint64_t*>(slot_ + layout_.payload_offset());
  }

 private:
  std::uint64_t at(std::size_t offset) const noexcept {
    return load_relaxed(reinterpret_cast<const std::uint64_t*>(slot_ + offset));
  }

  const std::byte* slot_;
  std::uint64_t sequence_;
  [[no_unique_address]] Layout layout_;
};

/// Reads slots of one mapping. Small and used by value: a store to what the caller reads
/// into may alias any member, and a loop would load them anew for each event.
template <class Layout>
class SlotReader {
 public:
  using EventType = BasicEvent<Layout>;

  SlotReader(const Mapping& mapping, const Layout& layout) noexcept
      : slots_(mapping.slots()),
        mask_(mapping.geometry().slot_count - 1),
        write_limit_(mapping.geometry().has_write_limit ? word(mapping.header()->write_limit)
                                                        : &kNoLimit),
        has_write_limit_(mapping.geometry().has_write_limit),
        layout_(layout) {}

  const Layout& layout() const noexcept { return layout_; }
  std::uint64_t slot_count() const noexcept { return mask_ + 1; }
  /// Without one, slots say BUSY while they are written.
  bool has_write_limit() const noexcept { return has_write_limit_; }
  /// Sequences before this may have been written over, slot_count later.
  std::uint64_t write_limit() const noexcept { return load_relaxed(write_limit_); }
  /// Whether a producer whose write limit stands at `limit` has left `sequence` alone.
  bool is_below(std::uint64_t limit, std::uint64_t sequence) const noexcept {
    return static_cast<std::int64_t>(sequence + slot_count() - limit) >= 0;
  }

  const std::byte* slot(std::uint64_t sequence) const noexcept {
    return slots_ + (sequence & mask_) * layout_.slot_bytes();
  }

  /// What a stamp means for the event `sequence`. Compared in stamp space, so it
  /// holds across every wrap; a stamp from the past or from nowhere is kEmpty.
  static ReadStatus classify(std::uint64_t sequence, std::uint64_t stamp) noexcept {
    if (stamp == EVRING_STAMP_READY(sequence)) [[likely]]
      return ReadStatus::kEvent;
    const auto ahead = static_cast<std::int64_t>((stamp | 1) - EVRING_STAMP_READY(sequence));
    return ahead > 0 ? ReadStatus::kOverrun : ReadStatus::kEmpty;
  }

  /// Whether `slot` holds event `sequence`, for reading its payload next.
  static ReadStatus look(const std::byte* slot, std::uint64_t sequence) noexcept {
    // (C1) The stamp before the payload, or old words look new. Pairs with (P2).
    return classify(sequence, load_acquire(stamp_of(slot)));
  }
  /// As look(), for no more than to know.
  ReadStatus glance(std::uint64_t sequence) const noexcept {
    return classify(sequence, load_relaxed(stamp_of(slot(sequence))));
  }

  bool is_lapped(std::uint64_t sequence) const noexcept {
    return glance(sequence) == ReadStatus::kOverrun ||
           (has_write_limit_ && !is_below(write_limit(), sequence));
  }

  /// Whether what was just read of READY slot `sequence` is whole.
  bool is_whole(std::uint64_t sequence) const noexcept {
    // (C2) Payload before the second look, at the limit or at the stamp, or a torn
    // copy passes. Pairs with (P1).
    fence_acquire();
    if (has_write_limit_) [[likely]]
      return is_below(write_limit(), sequence);
    return load_relaxed(stamp_of(slot(sequence))) == EVRING_STAMP_READY(sequence);
  }

  /// A write limit that leaves `first` and all behind it alone: while it stands, they need
  /// no second look of their own. Where there is none, one at which it never stands.
  std::uint64_t limit_for(std::uint64_t first) const noexcept {
    if (!has_write_limit_) return kNoLimit + 1;
    const std::uint64_t limit = write_limit();
    return is_below(limit, first) ? limit : first + slot_count();
  }
  /// As is_whole(), with `limit` of limit_for(): one load and one comparison for most.
  bool is_whole(std::uint64_t sequence, std::uint64_t limit) const noexcept {
    fence_acquire();  // (C2) as there. Pairs with (P1).
    return write_limit() == limit || is_whole(sequence);
  }

  /// Asks for the slot some way behind `slot`.
  void prefetch_ahead(const std::byte* slot) const noexcept {
    prefetch_for_read(slot + kPrefetchSlots * layout_.slot_bytes());
  }

  void copy(const std::byte* slot, std::uint64_t sequence, EventType& out) const noexcept {
    const SlotView<Layout> view(slot, sequence, layout_);
    out.sequence = sequence;
    if constexpr (requires { out.timestamp_ns; }) {
      out.timestamp_ns = view.timestamp_ns();
      out.type = view.type();
      out.length_bytes = view.length_bytes();
    }
    load_words(out.payload.data(), view.words(), layout_.payload_bytes() / 8);
  }

  /// Calls `each(slot, sequence)` for up to `count` slots from `first` on, until it
  /// returns false. @return how many it returned true for.
  template <class Each>
  [[gnu::always_inline]] std::size_t walk(std::uint64_t first, std::size_t count, Each&& each) const
      noexcept(noexcept(each(slots_, first))) {
    std::uint64_t sequence = first;
    for (const std::uint64_t end = first + count; sequence != end;) {
      const std::uint64_t index = sequence & mask_;
      const std::byte* slot = slots_ + index * layout_.slot_bytes();
      const std::uint64_t lap_end = sequence + std::min(end - sequence, slot_count() - index);
      for (; sequence != lap_end; ++sequence, slot += layout_.slot_bytes()) {
        if (!each(slot, sequence)) return sequence - first;
      }
    }
    return count;
  }

 private:
  static constexpr unsigned kPrefetchSlots = 8;
  static constexpr std::uint64_t kNoLimit = 0;

  static const std::uint64_t* word(const __u64& shared) noexcept {
    return reinterpret_cast<const std::uint64_t*>(&shared);
  }
  static const std::uint64_t* stamp_of(const std::byte* slot) noexcept {
    return reinterpret_cast<const std::uint64_t*>(slot);
  }

  const std::byte* slots_;
  std::uint64_t mask_;
  const std::uint64_t* write_limit_;  ///< of kNoLimit where the ring has none
  bool has_write_limit_;
  [[no_unique_address]] Layout layout_;
};

}  // namespace evring
