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
#include <evring/slot_reader.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace evring {

/// One thread. Reads the mapping, writes nothing shared.
template <class Layout>
class GroupSlots {
 public:
  using EventType = BasicEvent<Layout>;

  /// @throws std::invalid_argument  the ring's slots are not `Layout`.
  explicit GroupSlots(const Mapping& mapping)
      : reader_(mapping, require_layout<Layout>(mapping.geometry().slot, mapping.name(), "member")),
        head_word_(group_word(mapping.header()->head)) {}

  std::uint64_t slot_count() const noexcept { return reader_.slot_count(); }

  std::uint64_t head() const noexcept {
    // (C3) as in BasicConsumer::head().
    return load_acquire(head_word_);
  }

  /// As SlotReader::look(): who sees this event sees those before it.
  ReadStatus look(std::uint64_t sequence) const noexcept {
    return reader_.look(reader_.slot(sequence), sequence);
  }

  /// Later than every event that the producer may have begun to write over.
  std::uint64_t oldest(std::uint64_t head_now) const noexcept {
    std::uint64_t written = head_now;
    if (reader_.has_write_limit()) {
      const std::uint64_t limit = reader_.write_limit();
      if (static_cast<std::int64_t>(limit - written) > 0) written = limit;
    }
    const std::uint64_t first = written - slot_count();
    return static_cast<std::int64_t>(first - head_now) > 0 ? head_now : first;
  }

  /// Copies up to `wanted` events from `first` on, which were published, to out[0] on;
  /// not those that the producer has overwritten. Calls `copied` after each.
  /// @return how many are whole.
  template <class Copied>
  std::size_t copy(std::uint64_t first, std::size_t wanted, EventType* out,
                   Copied&& copied) const noexcept {
    const SlotReader<Layout> slots = reader_;
    const bool checks_each = !slots.has_write_limit();
    std::size_t count = 0;
    slots.walk(first, wanted, [&](const std::byte* slot, std::uint64_t sequence) noexcept {
      if (slots.look(slot, sequence) == ReadStatus::kEvent) [[likely]] {
        slots.copy(slot, sequence, out[count]);
        if (!checks_each || slots.is_whole(sequence)) [[likely]]
          ++count;
      }
      copied();
      return true;
    });
    return checks_each ? count : keep_whole(out, count);
  }

 private:
  /// Drops those of `count` copies, in ascending order, that the producer may have
  /// written over meanwhile: the first ones. One look for all of them.
  /// @return how many are left, from out[0] on.
  std::size_t keep_whole(EventType* out, std::size_t count) const noexcept {
    if (count == 0) return count;
    // (C2) as in SlotReader::is_whole().
    fence_acquire();
    const std::uint64_t limit = reader_.write_limit();
    if (reader_.is_below(limit, out[0].sequence)) [[likely]]
      return count;
    std::size_t torn = 1;
    while (torn < count && !reader_.is_below(limit, out[torn].sequence)) ++torn;
    std::copy(out + torn, out + count, out);
    return count - torn;
  }

  SlotReader<Layout> reader_;
  const std::uint64_t* head_word_;
};

}  // namespace evring
