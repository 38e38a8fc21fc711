// SPDX-License-Identifier: MIT
// The consumer of a ring: a cursor over a read-only mapping. No system call, no
// lock, no shared write (but for its own cursor page in a gated ring).
// Invariant, always: received() + lost() == cursor() - start().
// Ordering: letters C1 to C4, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>
#include <evring/drain.hpp>
#include <evring/mapping.hpp>
#include <evring/memory.hpp>
#include <evring/slot.hpp>
#include <evring/slot_reader.hpp>
#include <evring/status.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace evring {

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
        slots_(mapping_,
               require_layout<Layout>(mapping_.geometry().slot, mapping_.name(), "consumer")),
        commit_every_(later(slots_.slot_count() / 8, 1)) {
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
    const std::byte* slot = slots_.slot(cursor_);
    slots_.prefetch_ahead(slot);
    const ReadStatus status = slots_.look(slot, cursor_);
    if (status != ReadStatus::kEvent) {
      commit();
      return status;
    }
    slots_.copy(slot, cursor_, out);
    if (!slots_.is_whole(cursor_)) return ReadStatus::kOverrun;
    advance(1);
    return ReadStatus::kEvent;
  }

  /// Reads up to out.size() events in order. As try_read() for each; but after a full
  /// burst (16 or more) only what head says is published, while bursts stay as full.
  ///
  /// @return count > 0 with kEvent; or 0 with kEmpty or kOverrun. An overrun behind
  ///         the first event is reported by the next call.
  Burst read_burst(std::span<EventType> out) noexcept {
    const SlotReader<Layout> slots = slots_;
    const bool checks_each = !slots.has_write_limit();
    EventType* next = out.data();
    const Burst burst =
        read_slots(out.size(), [&](const std::byte* slot, std::uint64_t sequence) noexcept {
          slots.copy(slot, sequence, *next++);
          return !checks_each || slots.is_whole(sequence);
        });
    if (burst.count == 0) return burst;
    // With a write limit, the oldest slot of the burst answers for all of them here;
    // without one, each has answered for itself.
    if (!checks_each && !slots.is_whole(cursor_)) return {0, ReadStatus::kOverrun};
    advance(burst.count);
    return burst;
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
    const std::byte* slot = slots_.slot(cursor_);
    const ReadStatus status = slots_.look(slot, cursor_);
    if (status != ReadStatus::kEvent) {
      commit();
      return status;
    }
    visitor(SlotView<Layout>(slot, cursor_, slots_.layout()));
    if (!slots_.is_whole(cursor_)) return ReadStatus::kOverrun;
    advance(1);
    return ReadStatus::kEvent;
  }

  /// Shows up to `count_max` events in place, in order: calls `look(const SlotView<Layout>&)`
  /// for each, checks that the producer did not touch it meanwhile, and only then hands
  /// what look() returned to `keep()`. What look() saw may be torn; what keep() gets is not.
  ///
  /// @return as read_burst(), `count` being the calls of keep().
  template <class Look, class Keep>
  [[gnu::always_inline]] Burst visit_burst(std::size_t count_max, Look look, Keep keep) noexcept(
      std::is_nothrow_invocable_v<Look, const SlotView<Layout>&>) {
    const SlotReader<Layout> slots = slots_;
    const std::uint64_t limit = slots.limit_for(cursor_);
    const Burst burst = read_slots(count_max, [&](const std::byte* slot, std::uint64_t sequence) {
      auto found = look(SlotView<Layout>(slot, sequence, slots.layout()));
      if (!slots.is_whole(sequence, limit)) [[unlikely]]
        return false;
      keep(std::move(found));
      return true;
    });
    if (burst.count != 0) advance(burst.count);
    return burst;
  }

  /// Shows up to `count_max` events in place, in order, and checks once that the producer
  /// touched none of them meanwhile: calls `visitor(const SlotView<Layout>&)` for each. For
  /// who can take back what a burst did: a gated consumer, which is not lapped, pays least
  /// this way, and keeps what it found in variables of its own until it has the result.
  ///
  /// @return kEvent    what the visitor saw, `count` events, is whole; cursor() is behind them.
  ///         kEmpty    nothing there; the visitor was not called.
  ///         kOverrun  `count` is 0: all that the visitor saw is to be discarded.
  template <class Visitor>
  [[gnu::always_inline]] Burst visit_burst(std::size_t count_max, Visitor visitor) noexcept(
      std::is_nothrow_invocable_v<Visitor, const SlotView<Layout>&>) {
    const SlotReader<Layout> slots = slots_;
    const Burst burst = read_slots(count_max, [&](const std::byte* slot, std::uint64_t sequence) {
      visitor(SlotView<Layout>(slot, sequence, slots.layout()));
      return true;
    });
    if (burst.count == 0) return burst;
    // The oldest slot answers for all of them: it is the first to be written over.
    if (!slots_.is_whole(cursor_)) return {0, ReadStatus::kOverrun};
    advance(burst.count);
    return burst;
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
    for (std::uint64_t step = 0; step < slots_.slot_count() && slots_.is_lapped(target); ++step)
      ++target;
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
  bool has_work() const noexcept { return slots_.glance(cursor_) != ReadStatus::kEmpty; }

  const Mapping& mapping() const noexcept { return mapping_; }
  const Layout& layout() const noexcept { return slots_.layout(); }

 private:
  /// Calls `take(slot, sequence)` for up to `count_max` published slots from the cursor on,
  /// until it returns false. Leaves the cursor where it is, and commits it if there are none.
  template <class Take>
  [[gnu::always_inline]] Burst read_slots(std::size_t count_max,
                                          Take take) noexcept(noexcept(take(nullptr, 0))) {
    const SlotReader<Layout> slots = slots_;
    const bool to_head = drain_.is_on() && count_max > 1;
    if (to_head) count_max = std::min(count_max, count_to_head());
    ReadStatus status = ReadStatus::kEmpty;
    const std::size_t count =
        slots.walk(cursor_, count_max, [&](const std::byte* slot, std::uint64_t sequence) {
          if (!to_head) {
            slots.prefetch_ahead(slot);
            status = slots.look(slot, sequence);
            if (status != ReadStatus::kEvent) [[unlikely]]
              return false;
          }
          if (take(slot, sequence)) [[likely]]
            return true;
          status = ReadStatus::kOverrun;
          return false;
        });
    if (count == 0) {
      commit();
      return {0, status};
    }
    drain_.note_read(count);
    return {count, ReadStatus::kEvent};
  }

  /// Events from the cursor to head as last seen; looks anew when there are none.
  std::size_t count_to_head() noexcept {
    if (static_cast<std::int64_t>(head_seen_ - cursor_) <= 0) head_seen_ = head();
    if (static_cast<std::int64_t>(head_seen_ - cursor_) > 0) return head_seen_ - cursor_;
    drain_.note_nothing();
    return 0;
  }

  static std::uint64_t later(std::uint64_t a, std::uint64_t b) noexcept {
    return static_cast<std::int64_t>(b - a) > 0 ? b : a;
  }
  static std::uint64_t earlier(std::uint64_t a, std::uint64_t b) noexcept {
    return later(a, b) == a ? b : a;
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
    const std::uint64_t slot_count = slots_.slot_count();
    std::uint64_t written = head_now;
    if (slots_.has_write_limit()) written = later(written, slots_.write_limit());
    const std::uint64_t oldest = written - first > slot_count ? written - slot_count : first;
    return earlier(oldest, head_now);
  }

  std::uint64_t resync_margin() const noexcept {
    if (consecutive_overruns_ == 0) return 0;
    const unsigned shift = consecutive_overruns_ >= 5 ? 1 : 6 - consecutive_overruns_;
    return slots_.slot_count() >> shift;
  }

  /// Past `count` events that were read, at least one: it ends a row of overruns.
  void advance(std::uint64_t count) noexcept {
    cursor_ += count;
    received_ += count;
    if (consecutive_overruns_ != 0) [[unlikely]]
      consecutive_overruns_ = 0;
    if (cursor_word_ != nullptr && cursor_ - committed_ >= commit_every_) commit();
  }

  Mapping mapping_;
  SlotReader<Layout> slots_;
  std::uint64_t commit_every_;  ///< gated: events between two commits of the cursor
  std::uint64_t cursor_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t overruns_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t* cursor_word_ = nullptr;
  unsigned consecutive_overruns_ = 0;
  Drain drain_;
  std::uint64_t head_seen_ = 0;  ///< when it was last looked at for draining
};

using Consumer = BasicConsumer<DefaultSlot>;
using AnyConsumer = BasicConsumer<AnySlotLayout>;

}  // namespace evring
