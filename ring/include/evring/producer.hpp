// SPDX-License-Identifier: MIT
// The producer of a local ring: one per ring, enforced by a lock that dies with
// its process. The kernel's producer (kmod/) writes the same words.
// Invariant: published() + dropped() == offered().
// Ordering: letters P1 to P6, P9 and D2, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>
#include <evring/detail/lease.hpp>
#include <evring/detail/producer_side.hpp>
#include <evring/detail/slot_writer.hpp>
#include <evring/local_ring.hpp>
#include <evring/memory.hpp>
#include <evring/sequence.hpp>
#include <evring/slot.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace evring {

enum class PublishStatus {
  kPublished,
  kDropped,  ///< gated ring, the slowest cursor is slot_count behind; counted
  kFull,     ///< the same, of a call that keeps the event with its caller; not counted
};

/// What a gated producer does when the slowest cursor is slot_count behind.
enum class WhenFull {
  kWait,    ///< spins, then yields, until there is room or nobody is registered
  kRefuse,  ///< drops the new event and counts it, as an interrupt must
};

/// The part of a producer that does not depend on the slot: lock, takeover,
/// status block, gate, doorbells. Not used directly.
class ProducerCore {
 public:
  ProducerCore(const ProducerCore&) = delete;
  ProducerCore& operator=(const ProducerCore&) = delete;

  std::uint64_t published() const noexcept { return next_sequence() - geometry().first_sequence; }
  std::uint64_t dropped() const noexcept { return dropped_; }
  std::uint64_t offered() const noexcept { return published() + dropped_; }
  /// The sequence of the next event: head itself. A copy of it beside would cost a store
  /// to another line for each event, which ends the streaming of slots (PROTOCOL.md).
  std::uint64_t next_sequence() const noexcept { return load_relaxed(head_word_); }
  std::uint64_t generation() const noexcept { return generation_; }
  /// Slots that dead producers had claimed and not published; half-written, perhaps.
  std::uint64_t repaired() const noexcept { return repaired_; }
  std::uint64_t doorbells_rung() const noexcept { return doorbells_rung_; }
  std::uint64_t doorbells_suppressed() const noexcept { return doorbells_suppressed_; }

  /// Adds to lock_wait_ns and lock_contended of the status block; for a lock in front.
  void add_lock_wait(std::uint64_t wait_ns) noexcept;

  /// Brings the status block up to date now.
  void refresh_status() noexcept;

  const Geometry& geometry() const noexcept { return side_->geometry; }

 protected:
  /// Takes the ring: locks it, finds where the last producer stopped, reclaims the
  /// slots it had claimed and not published, starts a new generation, rings the doorbells it owed.
  /// @throws std::system_error (EBUSY) naming the ring: it has a producer.
  ProducerCore(const LocalRing& ring, WhenFull when_full);
  ~ProducerCore();

  using Clock = std::chrono::steady_clock;
  static constexpr Clock::time_point kNow = Clock::time_point::min();
  static constexpr Clock::time_point kForever = Clock::time_point::max();

  /// How many of `count` events (at most slot_count) may be written now: all of them in
  /// overwrite mode; in gated mode at least `at_least`, or what there is at `deadline`.
  /// None while a reservation is open. What was claimed ahead costs one compare.
  std::uint64_t room_for(std::uint64_t count, std::uint64_t at_least,
                         Clock::time_point deadline) noexcept {
    if (is_claimed(next_sequence() + count)) return count;
    return reserved_count_ != 0 ? 0 : claim_room(count, at_least, deadline);
  }
  /// Whether sequences before `end` may be written without asking.
  bool is_claimed(std::uint64_t end) const noexcept {
    return !Sequence(end).is_after(unasked_limit_);
  }
  /// What WhenFull says of a wait.
  Clock::time_point usual_deadline() const noexcept {
    return when_full_ == WhenFull::kWait ? kForever : kNow;
  }
  /// The next `count` events belong to a reservation: whoever publishes meanwhile has to
  /// ask, and is told that there is no room.
  void open_reservation(std::uint64_t count) noexcept;
  void close_reservation() noexcept;

  /// Looks at who is armed, and rings for those whose request the last `count` events
  /// fulfilled.
  void ring_doorbells(std::uint64_t armed, std::uint64_t count) noexcept;
  void count_drop(std::uint64_t count) noexcept;
  /// Refreshes the block when it trails by a millisecond or by 1,024 events, whichever
  /// this ring can tell without looking at a clock.
  void refresh_status_when_due(std::uint64_t next) noexcept {
    if (last_event_ns_ - refreshed_event_ns_ >= kRefreshEveryNs ||
        next - refreshed_next_ >= kRefreshEveryCount) [[unlikely]] {
      refresh_status();
    }
  }
  std::uint64_t now_ns() const noexcept;

  /// Publishes `next` as head behind its last `count` events, then looks at the doorbell
  /// word.
  void publish_head(std::uint64_t next, std::uint64_t count) noexcept {
    // (P3) Events before head, or a consumer drains to what is not there. Pairs with (C3).
    store_release(head_word_, next);
    // (D2) Head before the look at who is armed, or a sleeper misses its doorbell.
    // The compiler keeps the order; the CPU is made to by the arming side's
    // membarrier. Pairs with (D1).
    fence_compiler();
    const std::uint64_t armed = load_relaxed(armed_word_);
    if (armed != 0) [[unlikely]]
      ring_doorbells(armed, count);
  }

  static constexpr std::uint64_t kRefreshEveryNs = 1'000'000;
  static constexpr std::uint64_t kRefreshEveryCount = 1024;

  std::byte* slots_;
  std::uint64_t mask_;
  std::uint64_t refreshed_next_ = 0;      ///< next_sequence() when the status block was refreshed
  std::uint64_t refreshed_event_ns_ = 0;  ///< and last_event_ns_
  std::uint64_t write_limit_ = 0;         ///< sequences before this may be written
  std::uint64_t unasked_limit_ = 0;       ///< and before this without asking who has reserved
  std::uint64_t reserved_count_ = 0;      ///< slots of the open reservation; a fork's copy has none
  /// Up to here slots may be half-written: a dead producer's claim, or a reservation.
  std::uint64_t torn_limit_ = 0;
  std::uint64_t* head_word_;
  std::uint64_t* armed_word_;
  bool gated_ = false;
  std::uint64_t last_event_ns_ = 0;
  void (*step_hook_)(PublishStep) = nullptr;  ///< tests: see PublishStep

 private:
  /// In a forked child's copy: nothing may be written from here any more.
  void disown() noexcept;
  void take_over() noexcept;
  void load_status() noexcept;
  std::uint64_t repair_slots() noexcept;

  std::uint64_t claim_room(std::uint64_t count, std::uint64_t at_least,
                           Clock::time_point deadline) noexcept;
  std::uint64_t gated_claim(std::uint64_t wanted, std::uint64_t at_least,
                            Clock::time_point deadline) noexcept;
  std::uint64_t known_room(std::uint64_t wanted) const noexcept;
  void store_write_limit(std::uint64_t limit) noexcept;
  void refresh_gate() noexcept;
  bool reap_blockers(std::uint64_t wanted) noexcept;
  void refresh_cursor(unsigned index) noexcept;

  void consider_doorbell(unsigned index, std::uint64_t count) noexcept;
  void ring(unsigned index, std::uint64_t arm_cursor) noexcept;
  void start_timer(unsigned index, std::uint64_t arm_cursor, std::uint64_t wake_us) noexcept;

  std::shared_ptr<ProducerSide> side_;
  Lease lease_;
  WhenFull when_full_;
  std::uint64_t claim_ahead_count_;      ///< how far ahead the write limit is moved
  std::uint64_t gate_registered_ = 0;    ///< who was registered when the gate was refreshed
  std::uint64_t gate_change_count_ = 0;  ///< RegistrationTable::change_count then
  std::uint64_t gate_limit_ = 0;         ///< may publish sequences before this
  std::uint64_t refusal_count_ = 0;      ///< how often the gate was found shut, refusing
  std::array<std::uint64_t, EVRING_CONSUMER_COUNT_MAX> gate_cursor_{};  ///< last valid one
  std::array<std::uint64_t, EVRING_CONSUMER_COUNT_MAX> gate_entry_change_{};
  std::uint64_t dropped_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t repaired_ = 0;
  std::uint64_t doorbells_rung_ = 0;
  std::uint64_t doorbells_suppressed_ = 0;
  std::uint64_t lock_wait_ns_ = 0;
  std::uint64_t lock_contended_ = 0;
  std::array<std::uint64_t, EVRING_CONSUMER_COUNT_MAX> timer_started_for_{};  ///< arm_cursor
};

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
  /// @return kPublished, or kFull: neither published nor dropped. Never waits.
  [[nodiscard]] PublishStatus try_publish(const EventType& event) noexcept {
    return publish_by(event, kNow);
  }
  /// The same, after waiting for room until `deadline`.
  [[nodiscard]] PublishStatus publish_until(const EventType& event,
                                            Clock::time_point deadline) noexcept {
    return publish_by(event, deadline);
  }

  /// As publish_batch(), of `count` events whose payloads `source(sequence)` returns, a
  /// trivially copyable value that fits a slot. The fastest way in: a payload made of
  /// values at hand goes from registers to its slot, and nothing is copied. Its type is
  /// 0, its length the value's.
  ///
  /// `source`, taken by value as the standard algorithms do, is called once for each
  /// event that is published, in order; it must not throw, nor use this producer. Layouts known at
  /// compile time only.
  template <class Source>
  [[gnu::always_inline]] std::size_t publish_from(std::size_t count, Source source) noexcept {
    static_assert(Layout::kIsStatic && std::is_nothrow_invocable_v<Source&, std::uint64_t>);
    return publish_run(count, FeedSource<Source>{source});
  }

  /// Slots to fill in place; see reserve(). One owner, who moves it on; the end of it
  /// gives back what was not committed. It must not outlive its producer.
  class [[nodiscard]] Reservation {
   public:
    Reservation(Reservation&& other) noexcept
        : producer_(other.producer_),
          first_(other.first_),
          count_(std::exchange(other.count_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
      if (this == &other) return *this;
      abandon();
      producer_ = other.producer_;
      first_ = other.first_;
      count_ = std::exchange(other.count_, 0);
      return *this;
    }
    ~Reservation() { abandon(); }

    /// 0 after commit().
    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t sequence(std::uint64_t index) const noexcept { return first_ + index; }

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

    BasicProducer* producer_;
    std::uint64_t first_;
    std::uint64_t count_;
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
    for (std::uint64_t i = 0; i < room; ++i) {
      prefetch_for_write(word_at(first + room + i, 0));
      open_slot(first + i);
    }
    return Reservation(this, first, room);
  }

 private:
  BasicProducer(const Layout& layout, const LocalRing& ring, WhenFull when_full)
      : ProducerCore(ring, when_full), layout_(layout) {}

  std::uint64_t* word_at(std::uint64_t sequence, std::size_t offset) noexcept {
    return writer().at(sequence) + offset / 8;
  }

  void stamp_time() noexcept {
    if (layout_.format() != SlotFormat::kBare) last_event_ns_ = now_ns();
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
    if (layout_.format() != SlotFormat::kBare) store_relaxed(word_at(sequence, 8), last_event_ns_);
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
    Source source;
    [[gnu::always_inline]] void operator()(const Writer& writer, std::uint64_t* slot,
                                           std::uint64_t sequence) noexcept {
      writer.write_payload(slot, sequence, source(sequence));
    }
  };

  /// Publishes `count` events that `feed` stores, where they are claimed already: inlined,
  /// without a store but those of the slots and of head. The rest is out of the way.
  template <class Feed>
  [[gnu::always_inline]] std::size_t publish_run(std::size_t count, Feed feed) noexcept {
    const std::uint64_t first = next_sequence();
    if (!is_claimed(first + count)) [[unlikely]]
      return publish_runs(count, feed);
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
    if (room_for(1, 1, deadline) == 0) return PublishStatus::kFull;
    return publish(event);
  }

  void commit(std::uint64_t first, std::uint64_t count) noexcept {
    Hook{}(PublishStep::kPayloadStored);
    for (std::uint64_t sequence = first; sequence != first + count; ++sequence) {
      Writer::mark_ready(word_at(sequence, 0), sequence);
    }
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
