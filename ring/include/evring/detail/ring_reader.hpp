// SPDX-License-Identifier: MIT
// Reads the slots of a ring by sequence: what a stamp means, what is published, whether a
// copy is whole. All that readers share; a consumer and the member of a group differ only
// in who moves the cursor. The other end of slot_writer.hpp.
// Ordering: C1 to C3 and C8, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>
#include <evring/mapping.hpp>
#include <evring/memory.hpp>
#include <evring/sequence.hpp>
#include <evring/slot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace evring {

/// One mapping, one thread. Small, and copied into a loop that uses it: a store to what
/// the caller reads into may alias any member, which would be loaded anew for each event.
///
/// There are two ways to know what is published. A stamp says it first, in the line that
/// is wanted anyway; but who looks at the stamps of a producer at full speed takes lines
/// from it that it is about to write. So after a full burst a reader drains to head, which
/// says it once a batch, and touches nothing behind it. Small batches end that soon, for
/// there each event costs a look at head; and so does head found unchanged for a while.
/// Packed slots have no stamp: of them head alone says it, for single reads as well.
template <class Layout>
class RingReader {
 public:
  using EventType = BasicEvent<Layout>;

  RingReader(const Mapping& mapping, const Layout& layout) noexcept
      : slots_(mapping.slots()),
        mask_(mapping.geometry().slot_count - 1),
        write_limit_(mapping.geometry().has_write_limit ? word(mapping.header()->write_limit)
                                                        : &kNoLimit),
        has_write_limit_(mapping.geometry().has_write_limit),
        layout_(layout),
        header_(mapping.header()),
        first_(mapping.geometry().first_sequence) {}

  const Layout& layout() const noexcept { return layout_; }
  std::uint64_t slot_count() const noexcept { return mask_ + 1; }
  std::uint64_t first_sequence() const noexcept { return first_; }
  /// Without one, slots say BUSY while they are written.
  bool has_write_limit() const noexcept { return has_write_limit_; }
  /// Packed slots have none.
  bool has_stamps() const noexcept { return has_stamp(layout_.format()); }

  const std::byte* slot(std::uint64_t sequence) const noexcept {
    return slots_ + (sequence & mask_) * layout_.slot_bytes();
  }

  // ---- what is published ----

  /// Next sequence to be published, as the producer last stored it (once a batch).
  std::uint64_t head() const noexcept {
    // (C3) What lies before head is whole. Pairs with (P3).
    return load_acquire(word(header_->head));
  }
  /// The oldest sequence that the ring can still hold while head is `head_now`.
  std::uint64_t oldest(std::uint64_t head_now) const noexcept {
    const std::uint64_t written = has_write_limit_ ? write_limit() : head_now;
    return oldest_sequence(first_, written, head_now, slot_count());
  }
  /// Whether the event `sequence`, not published yet, never will be: the ring is gone.
  bool is_over(std::uint64_t sequence) const noexcept {
    // (C8) Gone before the last look at what came before it, or that is left unread.
    // Pairs with (P8).
    if (load_acquire(word(header_->status.gone)) == EVRING_GONE_NOT) return false;
    return glance(sequence) == ReadStatus::kEmpty;
  }

  /// What a stamp means for the event `sequence`. Compared in stamp space, so it
  /// holds across every wrap; a stamp from the past or from nowhere is kEmpty.
  static ReadStatus classify(std::uint64_t sequence, std::uint64_t stamp) noexcept {
    if (stamp == EVRING_STAMP_READY(sequence)) [[likely]]
      return ReadStatus::kEvent;
    const bool is_later = Sequence(stamp | 1).is_after(EVRING_STAMP_READY(sequence));
    return is_later ? ReadStatus::kOverrun : ReadStatus::kEmpty;
  }
  /// Whether `slot` holds event `sequence`, for reading its payload next.
  ReadStatus look(const std::byte* slot, std::uint64_t sequence) const noexcept {
    if (!has_stamps()) return look_at_head(sequence);
    // (C1) The stamp before the payload, or old words look new. Pairs with (P2).
    return classify(sequence, load_acquire(stamp_of(slot)));
  }
  ReadStatus look(std::uint64_t sequence) const noexcept { return look(slot(sequence), sequence); }
  /// As look(), for no more than to know.
  ReadStatus glance(std::uint64_t sequence) const noexcept {
    if (!has_stamps()) return look_at_head(sequence);
    return classify(sequence, load_relaxed(stamp_of(slot(sequence))));
  }
  bool is_lapped(std::uint64_t sequence) const noexcept {
    return glance(sequence) == ReadStatus::kOverrun ||
           (has_write_limit_ && !is_below(write_limit(), sequence));
  }
  /// As look(), for who reads on from `cursor`: of packed slots by head as last seen, so that
  /// one overrun is told by is_whole() alone.
  ReadStatus look_next(const std::byte* slot, std::uint64_t cursor) noexcept {
    if (has_stamps()) return look(slot, cursor);
    return count_to_head(cursor) != 0 ? ReadStatus::kEvent : ReadStatus::kEmpty;
  }

  /// The word that changes when the event `sequence`, not published yet, is; what it says
  /// until then is not later than last_said_before().
  const std::uint64_t* word_of_next(std::uint64_t sequence) const noexcept {
    return has_stamps() ? stamp_of(slot(sequence)) : word(header_->head);
  }
  std::uint64_t last_said_before(std::uint64_t sequence) const noexcept {
    return has_stamps() ? EVRING_STAMP_BUSY(sequence) : sequence;
  }

  // ---- which way it learns of them ----

  bool drains() const noexcept { return !has_stamps() || looks_left_ != 0; }
  /// The same, of a read of up to `count` events: one alone is faster by its stamp.
  bool drains(std::size_t count) const noexcept { return drains() && (!has_stamps() || count > 1); }

  /// Events from `cursor` to head as last seen; looks anew when there are none.
  std::size_t count_to_head(std::uint64_t cursor) noexcept {
    if (!Sequence(head_seen_).is_after(cursor)) head_seen_ = head();
    const std::uint64_t count = Sequence(head_seen_).count_from(cursor);
    if (count == 0) note_nothing();
    return count;
  }
  /// Begins at `cursor`: nothing that was seen before it counts.
  void begin(std::uint64_t cursor) noexcept { head_seen_ = cursor; }
  /// Head as last seen; at first where begin() said.
  std::uint64_t head_seen() const noexcept { return head_seen_; }
  std::uint64_t see_head() noexcept { return head_seen_ = head(); }

  /// After a read of `count` events.
  void note_read(std::size_t count) noexcept {
    if (!has_stamps()) return;
    if (count >= kFullBurst) {
      ++full_bursts_;
      if (drains() || full_bursts_ >= full_bursts_to_begin_) looks_left_ = kLooks;
    } else if (drains()) {
      looks_left_ /= 2;
      if (!drains()) end_early();
    }
  }
  /// After a look at head that found nothing new.
  void note_nothing() noexcept {
    if (has_stamps() && drains() && --looks_left_ == 0) full_bursts_ = 0;
  }

  // ---- reading ----

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
  /// Asks for the slot some way behind `slot`, unless head alone says that it is there.
  void prefetch_ahead(const std::byte* slot) const noexcept {
    if (has_stamps()) prefetch_for_read(slot + kPrefetchSlots * layout_.slot_bytes());
  }
  SlotView<Layout> view(const std::byte* slot, std::uint64_t sequence) const noexcept {
    return {slot, sequence, layout_};
  }

  /// Whether what was just read of READY slot `sequence` is whole.
  bool is_whole(std::uint64_t sequence) const noexcept {
    // (C2) Payload before the second look, at the limit or at the stamp, or a torn
    // copy passes. Pairs with (P1) and (P9).
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
    fence_acquire();  // (C2) as there. Pairs with (P1) and (P9).
    return write_limit() == limit || is_whole(sequence);
  }

  /// Copies up to `wanted` events from `first` on, which were published, to out[0] on;
  /// not those that the producer has overwritten. Calls `copied` after each.
  /// @return how many are whole.
  template <class Copied>
  std::size_t copy(std::uint64_t first, std::size_t wanted, EventType* out,
                   Copied&& copied) const noexcept {
    const RingReader reader = *this;
    const bool checks_each = !reader.has_write_limit();
    std::size_t count = 0;
    reader.walk(first, wanted, [&](const std::byte* slot, std::uint64_t sequence) noexcept {
      if (!reader.has_stamps() || reader.look(slot, sequence) == ReadStatus::kEvent) [[likely]] {
        reader.view(slot, sequence).copy_to(out[count]);
        if (!checks_each || reader.is_whole(sequence)) [[likely]]
          ++count;
      }
      copied();
      return true;
    });
    return checks_each ? count : keep_whole(out, count);
  }

 private:
  static constexpr unsigned kPrefetchSlots = 8;
  static constexpr std::uint64_t kNoLimit = 0;
  static constexpr std::size_t kFullBurst = 16;
  static constexpr unsigned kLooks = 64;
  static constexpr unsigned kWorthIt = 32;
  static constexpr unsigned kFullBurstsMax = 4096;

  static const std::uint64_t* word(const __u64& shared) noexcept {
    return reinterpret_cast<const std::uint64_t*>(&shared);
  }
  static const std::uint64_t* stamp_of(const std::byte* slot) noexcept {
    return reinterpret_cast<const std::uint64_t*>(slot);
  }

  /// What look() says where head alone knows.
  ReadStatus look_at_head(std::uint64_t sequence) const noexcept {
    if (!Sequence(head()).is_after(sequence)) return ReadStatus::kEmpty;
    return is_below(write_limit(), sequence) ? ReadStatus::kEvent : ReadStatus::kOverrun;
  }
  /// Sequences before this may have been written over, slot_count later.
  std::uint64_t write_limit() const noexcept { return load_relaxed(write_limit_); }
  /// Whether a producer whose write limit stands at `limit` has left `sequence` alone.
  bool is_below(std::uint64_t limit, std::uint64_t sequence) const noexcept {
    return !Sequence(limit).is_after(sequence + slot_count());
  }

  /// Drops those of `count` copies, in ascending order, that the producer may have
  /// written over meanwhile: the first ones. One look for all of them.
  /// @return how many are left, from out[0] on.
  std::size_t keep_whole(EventType* out, std::size_t count) const noexcept {
    if (count == 0) return count;
    fence_acquire();  // (C2) as in is_whole(). Pairs with (P1) and (P9).
    const std::uint64_t limit = write_limit();
    if (is_below(limit, out[0].sequence)) [[likely]]
      return count;
    std::size_t torn = 1;
    while (torn < count && !is_below(limit, out[torn].sequence)) ++torn;
    std::copy(out + torn, out + count, out);
    return count - torn;
  }

  /// Batches are small: the longer until it is tried again, unless it had been worth it.
  void end_early() noexcept {
    const bool was_worth_it = full_bursts_ >= full_bursts_to_begin_ + kWorthIt;
    full_bursts_to_begin_ = was_worth_it ? 1 : std::min(2 * full_bursts_to_begin_, kFullBurstsMax);
    full_bursts_ = 0;
  }

  const std::byte* slots_;
  std::uint64_t mask_;
  const std::uint64_t* write_limit_;  ///< of kNoLimit where the ring has none
  bool has_write_limit_;
  [[no_unique_address]] Layout layout_;
  const evring_header* header_;
  std::uint64_t first_;
  std::uint64_t head_seen_ = 0;
  unsigned looks_left_ = 0;   ///< at head until it begins with stamps again; 0: it does
  unsigned full_bursts_ = 0;  ///< since that ended last
  unsigned full_bursts_to_begin_ = 1;
};

}  // namespace evring
