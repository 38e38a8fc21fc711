// SPDX-License-Identifier: MIT
// The part of a producer that does not depend on the slot: lease, takeover, status block,
// gate, doorbells. Behind it: src/producer_core.cpp and src/producer_gate.cpp.
// Invariant: published() + dropped() == offered().
// Ordering: letters P1, P3 to P6, P9 and D2, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>
#include <evring/detail/lease.hpp>
#include <evring/detail/producer_side.hpp>
#include <evring/detail/slot_writer.hpp>
#include <evring/local_ring.hpp>
#include <evring/memory.hpp>
#include <evring/sequence.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

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
  /// Slots that producers before had claimed and not published; half-written, perhaps.
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
    if (is_claimed(next_sequence(), count)) return count;
    return reserved_count_ != 0 ? 0 : claim_room(count, at_least, deadline);
  }
  /// Whether `count` events from `first` on, at least one, may be written without asking.
  bool is_claimed(std::uint64_t first, std::uint64_t count) const noexcept {
    return count - 1 < Sequence(unasked_limit_).count_from(first);
  }
  /// False in a forked child's copy.
  bool is_here() const noexcept { return lease_.is_mine(); }
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
  std::uint64_t repair_stamps(std::uint64_t next, std::uint64_t limit) noexcept;
  void count_taken_back(std::uint64_t next, std::uint64_t limit) noexcept;

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

}  // namespace evring
