// SPDX-License-Identifier: MIT
// The producer of a local ring: one per ring, by a lease that dies with its process.
// Publishes copies, payloads made on the way, and slots filled in place. The kernel's
// producer (kmod/) writes the same words.
// Ordering: letters P2 and P3, explained in ring/PROTOCOL.md; the rest is in
// detail/producer_core.hpp.
#pragma once

#include <evring/abi.h>
#include <evring/detail/producer_core.hpp>
#include <evring/detail/slot_writer.hpp>
#include <evring/local_ring.hpp>
#include <evring/memory.hpp>
#include <evring/payload.hpp>
#include <evring/slot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace evring {

/// The producer of one local ring. One thread; see SharedProducer for several.
///
/// The copy in a forked child is inert: it publishes nothing (kDropped), and its end ends
/// nothing. A child that is to publish makes a producer of its own, once the parent's has
/// ended or died.
///
/// `Hook` is called at every PublishStep with the step, for tests that kill it there.
/// Without `kDoorbells` nobody is ever rung: for measuring what the look costs.
template <class Layout, class Hook = NoHook, bool kDoorbells = true>
class BasicProducer : public ProducerCore {
 public:
  using EventType = BasicEvent<Layout>;

  /// @throws std::system_error (EBUSY): the ring has a producer.
  ///         std::invalid_argument: the ring's slots are not `Layout`; nothing was touched.
  explicit BasicProducer(const LocalRing& ring, WhenFull when_full = WhenFull::kWait)
      : BasicProducer(
            require_layout<Layout>(ring.producer_side()->geometry.slot, ring.name(), "producer"),
            ring, when_full) {
    if constexpr (!std::is_same_v<Hook, NoHook>) {
      step_hook_ = [](PublishStep step) { Hook{}(step); };
    }
  }

  /// Publishes one event. Wait-free in overwrite mode; no system call unless a
  /// consumer's doorbell is due.
  ///
  /// `event.length_bytes` past the payload is cut. Its sequence and timestamp are
  /// assigned here.
  [[gnu::always_inline]] PublishStatus publish(const EventType& event) noexcept {
    return publish_run(1, FeedEvents{&event}) == 1 ? PublishStatus::kPublished
                                                   : PublishStatus::kDropped;
  }

  /// Publishes events in order, head once per run of room (at most slot_count, so that
  /// head never trails the slots by more than one lap).
  /// @return how many were published; the rest were dropped and counted.
  [[gnu::always_inline]] std::size_t publish_batch(std::span<const EventType> events) noexcept {
    return publish_run(events.size(), FeedEvents{events.data()});
  }

  /// As publish(), but where a gate has no room the event stays with the caller.
  /// @return kPublished, or kFull: neither published nor dropped; kDropped in a forked
  ///         child's copy, which publishes nothing. Never waits.
  [[nodiscard]] PublishStatus try_publish(const EventType& event) noexcept {
    return publish_by(event, kNow);
  }
  /// The same, after waiting for room until `deadline`.
  [[nodiscard]] PublishStatus publish_until(const EventType& event,
                                            Clock::time_point deadline) noexcept {
    return publish_by(event, deadline);
  }

  /// As publish_batch(), of `count` events whose payloads `source(sequence)` returns, a
  /// trivially copyable value that fits a slot. It is made in its slot, and nothing is copied;
  /// what `source` returns by reference is. Its type is 0, its length the value's; what the
  /// slot has behind it is zero, unless a length says where it ends. Padding within it keeps
  /// what the slot held a lap ago.
  ///
  /// `source`, taken by value as the standard algorithms do, is called once for each
  /// event that is published, in order; it must not throw, nor use this producer. Layouts known at
  /// compile time only.
  template <class Source>
  [[gnu::always_inline]] std::size_t publish_from(std::size_t count, Source source) noexcept {
    static_assert(Layout::kIsStatic && std::is_nothrow_invocable_v<Source&, std::uint64_t>);
    return publish_run(count, FeedSource<Source>{std::move(source)});
  }

  /// As publish_batch(), of `count` events whose payloads `fill(T& payload, sequence)` makes where
  /// they lie: plain code, nothing is copied. The payload holds what the slot held a lap ago, and
  /// keeps of that what `fill` does not set. Its type is 0, its length that of `T`.
  ///
  /// `fill`, taken by value, is called once for each event that is published, in order; it must
  /// not throw, nor use this producer, nor keep the reference: the slot is the readers' after it.
  /// `T` is trivially copyable, fits a slot of `Layout`, and wants no more than its alignment.
  template <class T, class Fill>
  [[gnu::always_inline]] std::size_t publish_in_place(std::size_t count, Fill fill) noexcept {
    require_payload<T, Layout>();
    static_assert(std::is_invocable_v<Fill&, T&, std::uint64_t>);
    return publish_run(count, FeedInPlace<T, Fill>{std::move(fill)});
  }

  /// Slots to fill in place; see reserve(). One owner, who moves it on; the end of it
  /// gives back what was not committed. It must not outlive its producer.
  class [[nodiscard]] Reservation {
   public:
    Reservation(Reservation&& other) noexcept
        : producer_(other.producer_),
          first_(other.first_),
          count_(std::exchange(other.count_, 0)),
          copies_(std::move(other.copies_)) {}
    Reservation& operator=(Reservation&& other) noexcept {
      if (this == &other) return *this;
      abandon();
      producer_ = other.producer_;
      first_ = other.first_;
      count_ = std::exchange(other.count_, 0);
      copies_ = std::move(other.copies_);
      return *this;
    }
    ~Reservation() { abandon(); }

    /// 0 after commit().
    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t sequence(std::uint64_t index) const noexcept { return first_ + index; }

    /// The payloads, to be filled by plain code where they lie:
    /// `for (T& payload : slots.payloads<T>()) …`. Until commit(), or the end of this; none after
    /// it, nor in a forked child's copy. Not beside set_word() in one reservation. The length of a
    /// kFull slot is set by set_type().
    template <class T>
    PayloadRange<T, Layout> payloads() noexcept {
      const std::uint64_t count = holds(0) ? count_ : 0;
      if constexpr (kPayloadsInPlace) {
        return {producer_->slots_, producer_->mask_, first_, count};
      } else {
        if (copies_ == nullptr)
          copies_ = std::make_unique<std::byte[]>(count * Layout::slot_bytes());
        return {copies_.get(), ~std::uint64_t{0}, 0, count};
      }
    }
    /// Stores payload word `word_index` (8 bytes) of event `index`. Words that are not
    /// set keep what the slot held a lap ago.
    /// @return false, with nothing stored, past the last event or word.
    bool set_word(std::uint64_t index, std::size_t word_index, std::uint64_t value) noexcept {
      const Layout& layout = producer_->layout_;
      if (!holds(index) || word_index >= layout.payload_bytes() / 8) [[unlikely]]
        return false;
      store_relaxed(producer_->word_at(first_ + index, layout.payload_offset() + 8 * word_index),
                    value);
      return true;
    }
    /// Type and length of event `index`, a longer one cut; for kFull slots, 0 and the
    /// whole payload where it is not called.
    /// @return false past the last event.
    bool set_type(std::uint64_t index, std::uint32_t type, std::uint32_t length_bytes) noexcept {
      if (!holds(index)) [[unlikely]]
        return false;
      const Layout& layout = producer_->layout_;
      if (layout.format() == SlotFormat::kFull) {
        store_relaxed(producer_->word_at(first_ + index, 16),
                      EVRING_TYPE_LENGTH(type, std::min(length_bytes, layout.payload_bytes())));
      }
      return true;
    }
    /// Publishes all of it, in order, as one batch. Once: it is empty afterwards.
    void commit() noexcept {
      const bool holds_slots = holds(0);
      const std::uint64_t count = std::exchange(count_, 0);
      if constexpr (!kPayloadsInPlace) {
        if (copies_ != nullptr && holds_slots) store_copies(count);
        copies_.reset();
      }
      if (holds_slots) producer_->commit(first_, count);
    }

   private:
    friend class BasicProducer;
    Reservation(BasicProducer* producer, std::uint64_t first, std::uint64_t count) noexcept
        : producer_(producer), first_(first), count_(count) {}
    /// Not after the end of it, nor in a forked child's copy.
    bool holds(std::uint64_t index) const noexcept {
      return index < count_ && index < producer_->reserved_count_;
    }
    void abandon() noexcept {
      const bool holds_slots = holds(0);
      count_ = 0;
      if (holds_slots) producer_->close_reservation();
    }

    /// Under a sanitizer: what was filled, to its slots.
    void store_copies(std::uint64_t count) noexcept {
      const Layout& layout = producer_->layout_;
      for (std::uint64_t i = 0; i < count; ++i) {
        store_words(producer_->word_at(first_ + i, layout.payload_offset()),
                    copies_.get() + i * layout.slot_bytes() + layout.payload_offset(),
                    layout.payload_bytes() / 8);
      }
    }

    struct NoCopies {};

    BasicProducer* producer_;
    std::uint64_t first_;
    std::uint64_t count_;
    [[no_unique_address]] std::conditional_t<kPayloadsInPlace, NoCopies,
                                             std::unique_ptr<std::byte[]>>
        copies_{};
  };

  /// Reserves up to `count` slots (at most slot_count) to be filled in place. In a gated
  /// ring that refuses, fewer may be given; the missing ones count as dropped.
  ///
  /// While a reservation holds slots nothing else goes in: publishing drops and counts,
  /// try_publish() finds the ring full, and another reserve() gives none.
  Reservation reserve(std::uint64_t count) noexcept {
    count = std::min(count, mask_ + 1);
    const std::uint64_t room = room_for(count, count, usual_deadline());
    if (room < count) count_drop(count - room);
    const std::uint64_t first = next_sequence();
    if (room == 0) return Reservation(this, first, 0);
    stamp_time();
    open_reservation(room);
    writer().prefetch_behind(first, room);
    for (std::uint64_t i = 0; i < room; ++i) open_slot(first + i);
    return Reservation(this, first, room);
  }

 private:
  BasicProducer(const Layout& layout, const LocalRing& ring, WhenFull when_full)
      : ProducerCore(ring, when_full), layout_(layout) {}

  std::uint64_t* word_at(std::uint64_t sequence, std::size_t offset) noexcept {
    return writer().at(sequence) + offset / 8;
  }

  void stamp_time() noexcept {
    if (has_timestamp(layout_.format())) last_event_ns_ = now_ns();
  }

  void publish_head(std::uint64_t next, std::uint64_t count) noexcept {
    if constexpr (kDoorbells) {
      ProducerCore::publish_head(next, count);
    } else {
      store_release(head_word_, next);  // (P3) as there. Pairs with (C3).
    }
  }

  void open_slot(std::uint64_t sequence) noexcept {
    Hook{}(PublishStep::kDeclared);
    if (has_timestamp(layout_.format())) store_relaxed(word_at(sequence, 8), last_event_ns_);
    if (layout_.format() == SlotFormat::kFull) {
      store_relaxed(word_at(sequence, 16), EVRING_TYPE_LENGTH(0, layout_.payload_bytes()));
    }
  }

  using Writer = SlotWriter<Layout, Hook>;

  Writer writer() const noexcept { return Writer(slots_, mask_, layout_, last_event_ns_); }

  /// What the next slot gets: called once for each event, in order.
  struct FeedEvents {
    const EventType* next;
    [[gnu::always_inline]] void operator()(const Writer& writer, std::uint64_t* slot,
                                           std::uint64_t sequence) noexcept {
      writer.write(slot, sequence, *next++);
    }
  };
  template <class Source>
  struct FeedSource {
    using Made = std::invoke_result_t<Source&, std::uint64_t>;
    using Payload = std::remove_cvref_t<Made>;
    static_assert(std::is_trivially_copyable_v<Payload>);
    static_assert(sizeof(Payload) <= Layout::kPayloadBytesMax, "the payload is larger than a slot");

    Source source;
    [[gnu::always_inline]] void operator()(const Writer& writer, std::uint64_t* slot,
                                           std::uint64_t sequence) noexcept {
      if constexpr (!std::is_reference_v<Made> && Writer::template makes_in_place<Payload>()) {
        writer.template make<Payload>(slot, sequence, source);
      } else {
        writer.write_payload(slot, sequence, source(sequence));
      }
    }
  };

  template <class T, class Fill>
  struct FeedInPlace {
    Fill fill;
    [[gnu::always_inline]] void operator()(const Writer& writer, std::uint64_t* slot,
                                           std::uint64_t sequence) noexcept {
      writer.template fill<T>(slot, sequence, fill);
    }
  };

  /// Publishes `count` events that `feed` stores, where they are claimed already: inlined,
  /// without a store but those of the slots and of head. The rest is out of the way.
  template <class Feed>
  [[gnu::always_inline]] std::size_t publish_run(std::size_t count, Feed feed) noexcept {
    const std::uint64_t first = next_sequence();
    if (!is_claimed(first, count)) [[unlikely]]
      return publish_runs(count, std::move(feed));
    stamp_time();
    writer().walk(first, count, feed);
    publish_head(first + count, count);
    Hook{}(PublishStep::kHeadStored);
    refresh_status_when_due(first + count);
    return count;
  }

  template <class Feed>
  [[gnu::noinline]] std::size_t publish_runs(std::size_t count, Feed feed) noexcept {
    std::size_t done = 0;
    while (done < count) {
      const std::uint64_t first = next_sequence();
      const std::uint64_t wanted = std::min<std::uint64_t>(count - done, mask_ + 1);
      const std::uint64_t room = room_for(wanted, 1, usual_deadline());
      stamp_time();  // after the wait, if there was one
      if (room == 0) {
        count_drop(count - done);
        return done;
      }
      writer().walk(first, room, feed);
      done += room;
      publish_head(first + room, room);
      Hook{}(PublishStep::kHeadStored);
    }
    refresh_status_when_due(next_sequence());
    return done;
  }

  PublishStatus publish_by(const EventType& event, Clock::time_point deadline) noexcept {
    if (room_for(1, 1, deadline) == 0)
      return is_here() ? PublishStatus::kFull : PublishStatus::kDropped;
    return publish(event);
  }

  void commit(std::uint64_t first, std::uint64_t count) noexcept {
    Hook{}(PublishStep::kPayloadStored);
    writer().mark_all_ready(first, count);
    close_reservation();
    publish_head(first + count, count);
    Hook{}(PublishStep::kHeadStored);
    refresh_status_when_due(first + count);
  }

  [[no_unique_address]] Layout layout_;
};

using Producer = BasicProducer<DefaultSlot>;
using AnyProducer = BasicProducer<AnySlotLayout>;

}  // namespace evring
