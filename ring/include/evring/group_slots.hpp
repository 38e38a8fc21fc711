// SPDX-License-Identifier: MIT
// The slots of a ring, read by sequence: what the member of a group and a recovery
// have in common. The caller knows what was published and what it may read.
// Ordering: letters C1 to C3 as in consumer.hpp, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/consumer.hpp>
#include <evring/group_record.hpp>
#include <evring/mapping.hpp>
#include <evring/memory.hpp>
#include <evring/slot.hpp>
#include <evring/words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace evring {

/// One thread. Reads the mapping, writes nothing shared.
template <class Layout>
class GroupSlots {
 public:
  using EventType = BasicEvent<Layout>;

  /// @throws std::invalid_argument  the ring's slots are not `Layout`.
  explicit GroupSlots(const Mapping& mapping)
      : slots_(mapping.slots()),
        head_word_(group_word(mapping.header()->head)),
        limit_word_(group_word(mapping.header()->write_limit)),
        mask_(mapping.geometry().slot_count - 1),
        has_write_limit_(mapping.geometry().has_write_limit) {
    const AnySlotLayout& found = mapping.geometry().slot;
    if constexpr (!Layout::kIsStatic) {
      layout_ = found;
    } else if (found.format() != layout_.format() || found.slot_bytes() != layout_.slot_bytes()) {
      throw std::invalid_argument(mapping.name() + ": the ring's slots are not this member's");
    }
  }

  std::uint64_t slot_count() const noexcept { return mask_ + 1; }

  std::uint64_t head() const noexcept {
    // (C3) as in BasicConsumer::head().
    return load_acquire(head_word_);
  }

  /// Where the slot of `sequence` stands: 0 it holds that event, below 0 an earlier
  /// one, above 0 a later one.
  std::int64_t look(std::uint64_t sequence) const noexcept {
    // (C1) as in BasicConsumer::copy_slot(): who sees this event sees those before it.
    const std::uint64_t stamp = load_acquire(stamp_of(sequence));
    return static_cast<std::int64_t>(stamp - EVRING_STAMP_READY(sequence));
  }

  /// Later than every event that the producer may have begun to write over.
  std::uint64_t oldest(std::uint64_t head_now) const noexcept {
    std::uint64_t written = head_now;
    if (has_write_limit_) {
      const std::uint64_t limit = load_relaxed(limit_word_);
      if (static_cast<std::int64_t>(limit - written) > 0) written = limit;
    }
    const std::uint64_t first = written - slot_count();
    return static_cast<std::int64_t>(first - head_now) > 0 ? head_now : first;
  }

  /// Copies the event `sequence`, which was published. Where the ring has a write limit
  /// the copy counts only once keep_whole() has kept it.
  /// @return false: the producer has overwritten it, or did so meanwhile.
  bool copy(std::uint64_t sequence, EventType& out) const noexcept {
    if (look(sequence) != 0) [[unlikely]]
      return false;
    copy_fields(SlotView<Layout>(slot_at(sequence), sequence, layout_), out);
    if (has_write_limit_) [[likely]]
      return true;
    // (C2) as in BasicConsumer::is_whole().
    fence_acquire();
    return load_relaxed(stamp_of(sequence)) == EVRING_STAMP_READY(sequence);
  }

  /// Drops those of `count` copies, in ascending order, that the producer may have
  /// written over meanwhile: the first ones. One look for all of them.
  /// @return how many are left, from out[0] on.
  std::size_t keep_whole(EventType* out, std::size_t count) const noexcept {
    if (!has_write_limit_ || count == 0) return count;
    // (C2) as in BasicConsumer::is_whole().
    fence_acquire();
    const std::uint64_t limit = load_relaxed(limit_word_);
    if (is_below(out[0].sequence, limit)) [[likely]]
      return count;
    std::size_t torn = 1;
    while (torn < count && !is_below(out[torn].sequence, limit)) ++torn;
    std::copy(out + torn, out + count, out);
    return count - torn;
  }

  void prefetch(std::uint64_t sequence) const noexcept { prefetch_for_read(slot_at(sequence)); }

 private:
  const std::byte* slot_at(std::uint64_t sequence) const noexcept {
    return slots_ + (sequence & mask_) * layout_.slot_bytes();
  }
  const std::uint64_t* stamp_of(std::uint64_t sequence) const noexcept {
    return reinterpret_cast<const std::uint64_t*>(slot_at(sequence));
  }

  void copy_fields(const SlotView<Layout>& view, EventType& out) const noexcept {
    out.sequence = view.sequence();
    if constexpr (requires { out.timestamp_ns; }) {
      out.timestamp_ns = view.timestamp_ns();
      out.type = view.type();
      out.length_bytes = view.length_bytes();
    }
    load_words(out.payload.data(), view.words(), layout_.payload_bytes() / 8);
  }

  bool is_below(std::uint64_t sequence, std::uint64_t limit) const noexcept {
    return static_cast<std::int64_t>(sequence + slot_count() - limit) >= 0;
  }

  const std::byte* slots_;
  const std::uint64_t* head_word_;
  const std::uint64_t* limit_word_;
  std::uint64_t mask_;
  bool has_write_limit_;
  [[no_unique_address]] Layout layout_;
};

}  // namespace evring
