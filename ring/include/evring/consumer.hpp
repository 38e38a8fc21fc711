// SPDX-License-Identifier: MIT
// The consumer of a ring: a cursor over a read-only mapping. No system call, no
// lock, no shared write (but for its own cursor page in a gated ring).
// Invariant, always: received() + lost() == cursor() - start().
// Ordering: letters C1 to C4, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>
#include <evring/mapping.hpp>
#include <evring/memory.hpp>
#include <evring/slot.hpp>
#include <evring/status.hpp>
#include <evring/words.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace evring {

enum class ReadStatus {
  kEvent,    ///< one event (or more, for a burst) was read
  kEmpty,    ///< the event at the cursor is not published yet
  kOverrun,  ///< the producer lapped the cursor: call resync()
};

enum class StartAt {
  kOldest,    ///< the oldest event still in the ring
  kNewest,    ///< only what is published from now on
  kSequence,  ///< a given sequence
};

enum class ResyncTo { kOldest, kNewest };

/// What a burst gave: `status` is kEvent when `count` > 0, else why it is 0.
struct Burst {
  std::size_t count = 0;
  ReadStatus status = ReadStatus::kEmpty;
};

/// The account of one consumer. Balanced when received + lost == cursor - start.
struct Balance {
  std::uint64_t start = 0;
  std::uint64_t cursor = 0;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t overruns = 0;

  bool balanced() const noexcept { return received + lost == cursor - start; }
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

/// Reads one ring. One thread per consumer; any number of consumers per ring.
///
/// `Layout` fixes the slot at compile time (DefaultSlot, BareSlot64, …);
/// AnySlotLayout takes every ring and is slower.
template <class Layout>
class BasicConsumer {
 public:
  using EventType = BasicEvent<Layout>;

  /// @param sequence  for StartAt::kSequence; from first_sequence to head. One that
  ///                  was overwritten already is an overrun at the first read.
  /// @throws std::invalid_argument  the ring's slots are not `Layout`.
  ///         std::out_of_range      `sequence` is not between first_sequence and head.
  explicit BasicConsumer(Mapping mapping, StartAt start_at = StartAt::kOldest,
                         std::uint64_t sequence = 0)
      : mapping_(std::move(mapping)),
        slots_(mapping_.slots()),
        mask_(mapping_.geometry().slot_count - 1),
        commit_every_(later(mapping_.geometry().slot_count / 8, 1)),
        has_write_limit_(mapping_.geometry().has_write_limit) {
    adopt_layout();
    start_ = cursor_ = find_start(start_at, sequence);
  }

  /// Reads the event at cursor(). Wait-free, no system call, writes nothing shared.
  ///
  /// @param[out] out  Meaningful only on kEvent.
  /// @return kEvent    cursor() advanced by one.
  ///         kEmpty    cursor() is not published yet.
  ///         kOverrun  lapped; cursor() unchanged; call resync().
  /// Source: H.-J. Boehm, "Can seqlocks get along with programming language
  /// memory models?", MSPC 2012, fig. 6.
  ReadStatus try_read(EventType& out) noexcept {
    const ReadStatus status = copy_slot(source(), cursor_, out);
    if (status != ReadStatus::kEvent) {
      commit();
      return status;
    }
    if (!is_whole(cursor_)) return ReadStatus::kOverrun;
    advance(1);
    return ReadStatus::kEvent;
  }

  /// Reads up to out.size() events in order. As try_read() for each.
  ///
  /// @return count > 0 with kEvent; or 0 with kEmpty or kOverrun. An overrun behind
  ///         the first event is reported by the next call.
  Burst read_burst(std::span<EventType> out) noexcept {
    const Burst copied = copy_burst(out);
    if (copied.count == 0) {
      commit();
      return copied;
    }
    // With a write limit, the oldest slot of the burst answers for all of them here;
    // without one, each has answered for itself.
    if (has_write_limit_ && !is_whole(cursor_)) return {0, ReadStatus::kOverrun};
    received_ += copied.count;
    cursor_ += copied.count;
    if (consecutive_overruns_ != 0) [[unlikely]]
      consecutive_overruns_ = 0;
    if (cursor_word_ != nullptr && cursor_ - committed_ >= commit_every_) commit();
    return {copied.count, ReadStatus::kEvent};
  }

  /// Shows the event at cursor() in place: calls `visitor(const SlotView<Layout>&)`,
  /// then checks that the producer did not touch it meanwhile.
  ///
  /// @return kEvent    what the visitor saw is whole; cursor() advanced by one.
  ///         kEmpty    nothing there; the visitor was not called.
  ///         kOverrun  what the visitor saw, if it was called, is to be discarded.
  template <class Visitor>
  ReadStatus visit(Visitor&& visitor) noexcept(
      std::is_nothrow_invocable_v<Visitor, const SlotView<Layout>&>) {
    const std::byte* slot = slot_at(cursor_);
    // (C1) as in copy_slot().
    const ReadStatus status = classify(cursor_, load_acquire(stamp_of(slot)));
    if (status != ReadStatus::kEvent) {
      commit();
      return status;
    }
    visitor(SlotView<Layout>(slot, cursor_, layout_));
    if (!is_whole(cursor_)) return ReadStatus::kOverrun;
    advance(1);
    return ReadStatus::kEvent;
  }

  /// Shows up to `limit` events in place, in order: calls `look(const SlotView<Layout>&)`
  /// for each, checks that the producer did not touch it meanwhile, and only then hands
  /// what look() returned to `keep()`. What look() saw may be torn; what keep() gets is not.
  ///
  /// @return as read_burst(), `count` being the calls of keep().
  template <class Look, class Keep>
  Burst visit_burst(std::size_t limit, Look&& look, Keep&& keep) noexcept(
      std::is_nothrow_invocable_v<Look, const SlotView<Layout>&>) {
    const Source from = source();
    const std::uint64_t first = cursor_;
    ReadStatus status = ReadStatus::kEvent;
    std::size_t count = 0;
    for (; count < limit; ++count) {
      const std::byte* slot = from.slot(first + count);
      // (C1) as in copy_slot().
      status = classify(first + count, load_acquire(stamp_of(slot)));
      if (status != ReadStatus::kEvent) break;
      auto found = look(SlotView<Layout>(slot, first + count, from.layout));
      if (!is_whole(first + count)) {
        status = ReadStatus::kOverrun;
        break;
      }
      keep(std::move(found));
    }
    if (count == 0) {
      commit();
      return {0, status};
    }
    advance(count);
    return {count, ReadStatus::kEvent};
  }

  /// Jumps forward after an overrun and counts what was jumped over.
  ///
  /// kOldest stops at the oldest event that is safe to read; when overruns follow
  /// one another without an event between, it keeps a growing distance (up to half
  /// of the ring). kNewest waits for the next event to be published.
  /// @return how many events this jump lost; exact.
  std::uint64_t resync(ResyncTo to = ResyncTo::kOldest) noexcept {
    const std::uint64_t head_now = head();
    std::uint64_t target = cursor_;
    if (to == ResyncTo::kNewest) {
      target = later(target, head_now);
    } else {
      const std::uint64_t oldest = later(target, oldest_of(head_now));
      target = earlier(oldest + resync_margin(), later(oldest, head_now));
    }
    // Head trails the slots while a batch is written: step over what is lapped already.
    for (std::uint64_t step = 0; step <= mask_ && is_lapped(target); ++step) ++target;
    const std::uint64_t jumped = target - cursor_;
    lost_ += jumped;
    ++overruns_;
    ++consecutive_overruns_;
    cursor_ = target;
    commit();
    return jumped;
  }

  /// Publishes cursor() to a gated producer now. Every read that finds nothing does so
  /// by itself, and so does one that finds the last commit 1/8 of the ring behind.
  void commit() noexcept {
    if (cursor_word_ != nullptr && committed_ != cursor_) {
      // (C4) Payload reads before the cursor, or the producer overwrites what is
      // still being read. Pairs with (P4).
      store_release(cursor_word_, cursor_);
      committed_ = cursor_;
    }
  }

  /// Makes this a gated consumer that writes its cursor to `page` (see
  /// Registration and Device::register_cursor()). `sequence` is where the
  /// registration stands; it becomes start() and cursor().
  void gate(evring_consumer_page* page, std::uint64_t sequence) noexcept {
    start_ = cursor_ = sequence;
    received_ = lost_ = overruns_ = 0;
    cursor_word_ = page == nullptr ? nullptr : reinterpret_cast<std::uint64_t*>(&page->cursor);
    committed_ = cursor_ - 1;
    commit();
  }

  std::uint64_t cursor() const noexcept { return cursor_; }
  std::uint64_t start() const noexcept { return start_; }
  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t lost() const noexcept { return lost_; }
  std::uint64_t overruns() const noexcept { return overruns_; }
  Balance balance() const noexcept { return {start_, cursor_, received_, lost_, overruns_}; }

  /// Next sequence to be published, as the producer last stored it (once a batch).
  std::uint64_t head() const noexcept {
    // (C3) What lies before head is whole. Pairs with (P3).
    return load_acquire(reinterpret_cast<const std::uint64_t*>(&mapping_.header()->head));
  }
  /// Events published and not read; 0 while the cursor is ahead of the stored head.
  std::uint64_t lag() const noexcept {
    const std::uint64_t distance = head() - cursor_;
    return static_cast<std::int64_t>(distance) < 0 ? 0 : distance;
  }
  /// Whether the event at cursor() can be read or was overwritten: one load.
  bool has_work() const noexcept {
    return classify(cursor_, load_relaxed(stamp_of(slot_at(cursor_)))) != ReadStatus::kEmpty;
  }

  const Mapping& mapping() const noexcept { return mapping_; }
  const Layout& layout() const noexcept { return layout_; }

 private:
  static constexpr unsigned kPrefetchSlots = 8;

  static const std::uint64_t* stamp_of(const std::byte* slot) noexcept {
    return reinterpret_cast<const std::uint64_t*>(slot);
  }
  static std::uint64_t later(std::uint64_t a, std::uint64_t b) noexcept {
    return static_cast<std::int64_t>(b - a) > 0 ? b : a;
  }
  static std::uint64_t earlier(std::uint64_t a, std::uint64_t b) noexcept {
    return later(a, b) == a ? b : a;
  }

  void adopt_layout() {
    const AnySlotLayout& found = mapping_.geometry().slot;
    if constexpr (!Layout::kIsStatic) {
      layout_ = found;
    } else if (found.format() != layout_.format() || found.slot_bytes() != layout_.slot_bytes()) {
      throw std::invalid_argument(mapping_.name() + ": slots are format " +
                                  std::to_string(static_cast<unsigned>(found.format())) + " of " +
                                  std::to_string(found.slot_bytes()) +
                                  " bytes; this consumer expects format " +
                                  std::to_string(static_cast<unsigned>(layout_.format())) + " of " +
                                  std::to_string(layout_.slot_bytes()) + " bytes");
    }
  }

  std::uint64_t find_start(StartAt start_at, std::uint64_t sequence) const {
    const std::uint64_t head_now = head();
    if (start_at == StartAt::kNewest) return head_now;
    if (start_at == StartAt::kOldest) return oldest_of(head_now);
    const std::uint64_t first = mapping_.geometry().first_sequence;
    if (sequence - first > head_now - first) {
      throw std::out_of_range(mapping_.name() + ": sequence " + std::to_string(sequence) +
                              " is not between the first, " + std::to_string(first) +
                              ", and head, " + std::to_string(head_now));
    }
    return sequence;
  }

  /// The oldest sequence that the ring can still hold while head is `head_now`.
  std::uint64_t oldest_of(std::uint64_t head_now) const noexcept {
    const std::uint64_t first = mapping_.geometry().first_sequence;
    const std::uint64_t slot_count = mask_ + 1;
    std::uint64_t written = head_now;
    if (has_write_limit_) {
      written = later(
          written,
          load_relaxed(reinterpret_cast<const std::uint64_t*>(&mapping_.header()->write_limit)));
    }
    const std::uint64_t oldest = written - first > slot_count ? written - slot_count : first;
    return earlier(oldest, head_now);
  }

  std::uint64_t resync_margin() const noexcept {
    if (consecutive_overruns_ == 0) return 0;
    const unsigned shift = consecutive_overruns_ >= 5 ? 1 : 6 - consecutive_overruns_;
    return (mask_ + 1) >> shift;
  }

  const std::byte* slot_at(std::uint64_t sequence) const noexcept {
    return slots_ + (sequence & mask_) * layout_.slot_bytes();
  }

  /// What a stamp means for the event `sequence`. Compared in stamp space, so it
  /// holds across every wrap; a stamp from the past or from nowhere is kEmpty.
  static ReadStatus classify(std::uint64_t sequence, std::uint64_t stamp) noexcept {
    if (stamp == EVRING_STAMP_READY(sequence)) [[likely]]
      return ReadStatus::kEvent;
    const auto ahead = static_cast<std::int64_t>((stamp & ~1ULL) - EVRING_STAMP_BUSY(sequence));
    return ahead > 0 ? ReadStatus::kOverrun : ReadStatus::kEmpty;
  }

  bool is_lapped(std::uint64_t sequence) const noexcept {
    return classify(sequence, load_relaxed(stamp_of(slot_at(sequence)))) == ReadStatus::kOverrun ||
           (has_write_limit_ && !is_below_limit(sequence));
  }

  /// Whether the producer has not yet declared to write over `sequence`.
  bool is_below_limit(std::uint64_t sequence) const noexcept {
    const std::uint64_t limit =
        load_relaxed(reinterpret_cast<const std::uint64_t*>(&mapping_.header()->write_limit));
    return static_cast<std::int64_t>(sequence + mask_ + 1 - limit) >= 0;
  }

  /// Whether the copy just made of READY slot `sequence` is whole.
  bool is_whole(std::uint64_t sequence) const noexcept {
    // (C2) Payload before the second look, at the limit or at the stamp, or a torn
    // copy passes. Pairs with (P1).
    fence_acquire();
    if (has_write_limit_) [[likely]]
      return is_below_limit(sequence);
    return load_relaxed(stamp_of(slot_at(sequence))) == EVRING_STAMP_READY(sequence);
  }

  /// What the copy loop needs, by value: a store to `out` may alias any member, and the
  /// loop would load them anew for each event.
  struct Source {
    const std::byte* slots;
    std::uint64_t mask;
    [[no_unique_address]] Layout layout;

    const std::byte* slot(std::uint64_t sequence) const noexcept {
      return slots + (sequence & mask) * layout.slot_bytes();
    }
  };
  Source source() const noexcept { return {slots_, mask_, layout_}; }

  Burst copy_burst(std::span<EventType> out) const noexcept {
    const Source from = source();
    const std::uint64_t first = cursor_;
    const bool checks_each = !has_write_limit_;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const ReadStatus status = copy_slot(from, first + i, out[i]);
      if (status != ReadStatus::kEvent) return {i, status};
      if (checks_each && !is_whole(first + i)) return {i, ReadStatus::kOverrun};
    }
    return {out.size(), ReadStatus::kEmpty};
  }

  /// Copies event `sequence` if its stamp says READY; is_whole() tells whether it held.
  static ReadStatus copy_slot(const Source& from, std::uint64_t sequence, EventType& out) noexcept {
    const std::byte* slot = from.slot(sequence);
    prefetch_for_read(from.slot(sequence + kPrefetchSlots));
    // (C1) The stamp before the payload, or old words look new. Pairs with (P2).
    const ReadStatus status = classify(sequence, load_acquire(stamp_of(slot)));
    if (status != ReadStatus::kEvent) [[unlikely]]
      return status;
    copy_fields(SlotView<Layout>(slot, sequence, from.layout), from.layout, out);
    return ReadStatus::kEvent;
  }

  static void copy_fields(const SlotView<Layout>& view, const Layout& layout,
                          EventType& out) noexcept {
    out.sequence = view.sequence();
    if constexpr (requires { out.timestamp_ns; }) {
      out.timestamp_ns = view.timestamp_ns();
      out.type = view.type();
      out.length_bytes = view.length_bytes();
    }
    load_words(out.payload.data(), view.words(), layout.payload_bytes() / 8);
  }

  void advance(std::uint64_t count) noexcept {
    cursor_ += count;
    received_ += count;
    if (consecutive_overruns_ != 0) [[unlikely]]
      consecutive_overruns_ = 0;
    if (cursor_word_ != nullptr && cursor_ - committed_ >= commit_every_) commit();
  }

  Mapping mapping_;
  const std::byte* slots_;
  std::uint64_t mask_;
  std::uint64_t commit_every_;  ///< gated: events between two commits of the cursor
  bool has_write_limit_;
  [[no_unique_address]] Layout layout_;
  std::uint64_t cursor_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t overruns_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t* cursor_word_ = nullptr;
  unsigned consecutive_overruns_ = 0;
};

using Consumer = BasicConsumer<DefaultSlot>;
using AnyConsumer = BasicConsumer<AnySlotLayout>;

}  // namespace evring
