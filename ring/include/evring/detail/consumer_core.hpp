// SPDX-License-Identifier: MIT
// What every consumer does: reads at its cursor, in any of four ways, resumes after an
// overrun, and keeps its account. No system call, no lock; it writes nothing shared but
// the cursor word that it may have been given.
// Invariant, always: received() + lost() == cursor() - start().
// Ordering: letters C1 to C4 and C8, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>
#include <evring/detail/lease.hpp>
#include <evring/detail/ring_reader.hpp>
#include <evring/mapping.hpp>
#include <evring/memory.hpp>
#include <evring/payload.hpp>
#include <evring/sequence.hpp>
#include <evring/slot.hpp>

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

/// What every consumer does: it reads at its cursor and keeps its account. Not used
/// directly; see BasicConsumer and BasicGatedConsumer, which say where the cursor starts
/// and who else learns of it.
template <class Layout>
class ConsumerCore {
 public:
  using EventType = BasicEvent<Layout>;

  /// Reads the event at cursor(). Wait-free, no system call, writes nothing shared.
  ///
  /// @param[out] out  Meaningful only on kEvent.
  /// @return kEvent    cursor() advanced by one.
  ///         kEmpty    cursor() is not published yet.
  ///         kOverrun  lapped; cursor() unchanged; call resync().
  ///         kGone     as kEmpty, and the owner has closed the ring; looked for at every
  ///                   64th empty read. An owner that dies says nothing of it: see
  ///                   Registration::owner_fd().
  /// Source: H.-J. Boehm, "Can seqlocks get along with programming language
  /// memory models?", MSPC 2012, fig. 6.
  ReadStatus try_read(EventType& out) noexcept {
    const std::byte* slot = reader_.slot(cursor_);
    reader_.prefetch_ahead(slot);
    const ReadStatus status = reader_.look_next(slot, cursor_);
    if (status != ReadStatus::kEvent) return nothing_read(status);
    reader_.view(slot, cursor_).copy_to(out);
    if (!reader_.is_whole(cursor_)) return ReadStatus::kOverrun;
    advance(1);
    return ReadStatus::kEvent;
  }

  /// Reads up to out.size() events, at most slot_count, in order. As try_read() for each; but after
  /// a full burst (16 or more) only what head says is published, while bursts stay as full. Of
  /// packed slots never more than that.
  ///
  /// @return count > 0 with kEvent; or 0 with kEmpty, kOverrun or kGone. An overrun
  ///         behind the first event is reported by the next call.
  Burst read_burst(std::span<EventType> out) noexcept {
    const RingReader<Layout> reader = reader_;
    const bool checks_each = !reader.has_write_limit();
    EventType* next = out.data();
    const Burst burst =
        read_slots(out.size(), [&](const std::byte* slot, std::uint64_t sequence) noexcept {
          reader.view(slot, sequence).copy_to(*next++);
          return !checks_each || reader.is_whole(sequence);
        });
    if (burst.count == 0) return burst;
    // With a write limit, the oldest slot of the burst answers for all of them here;
    // without one, each has answered for itself.
    if (!checks_each && !reader.is_whole(cursor_)) return {0, ReadStatus::kOverrun};
    advance(burst.count);
    return burst;
  }

  /// Shows the event at cursor() in place: calls `visitor(const SlotView<Layout>&)`,
  /// then checks that the producer did not touch it meanwhile.
  ///
  /// @return kEvent    what the visitor saw is whole; cursor() advanced by one.
  ///         kEmpty    nothing there, or kGone: the visitor was not called.
  ///         kOverrun  what the visitor saw, if it was called, is to be discarded.
  /// What the visitor throws passes through; cursor() is unchanged.
  template <class Visitor>
  ReadStatus visit(Visitor&& visitor) noexcept(
      std::is_nothrow_invocable_v<Visitor, const SlotView<Layout>&>) {
    const std::byte* slot = reader_.slot(cursor_);
    const ReadStatus status = reader_.look_next(slot, cursor_);
    if (status != ReadStatus::kEvent) return nothing_read(status);
    visitor(reader_.view(slot, cursor_));
    if (!reader_.is_whole(cursor_)) return ReadStatus::kOverrun;
    advance(1);
    return ReadStatus::kEvent;
  }

  /// Shows up to `count_max` events in place, in order: calls `look(const SlotView<Layout>&)`
  /// for each, checks that the producer did not touch it meanwhile, and only then hands
  /// what look() returned to `keep()`. What look() saw may be torn; what keep() gets is not.
  ///
  /// @return as read_burst(), `count` being the calls of keep().
  /// What look() or keep() throws passes through: the events that keep() got, that one
  /// with them, count as received, and cursor() is behind them.
  template <class Look, class Keep>
  [[gnu::always_inline]] Burst visit_burst(std::size_t count_max, Look look,
                                           Keep keep) noexcept(never_throws<Look, Keep>()) {
    const RingReader<Layout> reader = reader_;
    const std::uint64_t limit = reader.limit_for(cursor_);
    constexpr bool kCountsEach = !never_throws<Look, Keep>();
    KeptEvents kept{*this};  // advances at the end, by a throw as well
    // One closure and no other in it: GCC 12 calls a function `look` by its address, for
    // each event, when it finds it through two.
    const auto take = [&](const std::byte* slot, std::uint64_t sequence)
        __attribute__((always_inline)) {
      auto found = look(reader.view(slot, sequence));
      if (!reader.is_whole(sequence, limit)) [[unlikely]]
        return false;
      if constexpr (kCountsEach) ++kept.count;
      keep(std::move(found));
      return true;
    };
    const Burst burst = read_slots(count_max, take);
    if constexpr (!kCountsEach) kept.count = burst.count;
    return burst;
  }

  /// Shows up to `count_max` events in place, in order, and checks once that the producer
  /// touched none of them meanwhile: calls `visitor(const SlotView<Layout>&)` for each. For
  /// who can take back what a burst did: a gated consumer, which is not lapped, pays least
  /// this way, and keeps what it found in variables of its own until it has the result.
  ///
  /// @return kEvent    what the visitor saw, `count` events, is whole; cursor() is behind them.
  ///         kEmpty    nothing there, or kGone: the visitor was not called.
  ///         kOverrun  `count` is 0: all that the visitor saw is to be discarded.
  /// What the visitor throws passes through; cursor() is unchanged.
  template <class Visitor>
  [[gnu::always_inline]] Burst visit_burst(std::size_t count_max, Visitor visitor) noexcept(
      std::is_nothrow_invocable_v<Visitor, const SlotView<Layout>&>) {
    const RingReader<Layout> reader = reader_;
    const auto take = [&](const std::byte* slot, std::uint64_t sequence)
        __attribute__((always_inline)) {
      visitor(reader.view(slot, sequence));
      return true;
    };
    const Burst burst = read_slots(count_max, take);
    if (burst.count == 0) return burst;
    // The oldest slot answers for all of them: it is the first to be written over.
    if (!reader.is_whole(cursor_)) return {0, ReadStatus::kOverrun};
    advance(burst.count);
    return burst;
  }

  /// As visit_burst(count_max, visitor), of the payloads as they lie: calls
  /// `visitor(const T& payload)` for each. For gated consumers, whose slots nobody touches
  /// meanwhile: there a payload is an object like any other until visitor() returns.
  ///
  /// `T` is trivially copyable, fits a slot of `Layout`, and wants no more than its alignment. A
  /// reference that is kept names the slot's next event a lap later; AddressSanitizer reports it.
  template <class T, class Visitor>
  [[gnu::always_inline]] Burst visit_payloads(std::size_t count_max, Visitor visitor) noexcept(
      std::is_nothrow_invocable_v<Visitor, const T&>) {
    require_payload<T, Layout>();
    return visit_burst(count_max, LookAtPayload<T, Visitor>{std::move(visitor)});
  }

  /// As visit_burst(count_max, look, keep), of the payloads as they lie: calls
  /// `look(const T& payload)` for each. Where the producer may lap this consumer, look() may see
  /// a torn payload, and one that changes under its eyes: it copies or adds up, and neither follows
  /// an index nor chooses a branch by what it sees. keep() gets only what was whole.
  template <class T, class Look, class Keep>
  [[gnu::always_inline]] Burst visit_payloads(std::size_t count_max, Look look, Keep keep) noexcept(
      std::is_nothrow_invocable_v<Look, const T&>&&
          std::is_nothrow_invocable_v<Keep, std::invoke_result_t<Look&, const T&>&&>) {
    require_payload<T, Layout>();
    return visit_burst(count_max, LookAtPayload<T, Look>{std::move(look)}, std::move(keep));
  }

  /// Jumps forward after an overrun and counts what was jumped over.
  ///
  /// kOldest stops at the oldest event that is safe to read; when overruns follow
  /// one another without an event between, it keeps a growing distance (up to half
  /// of the ring). kNewest waits for the next event to be published.
  /// @return how many events this jump lost; exact.
  std::uint64_t resync(ResyncTo to = ResyncTo::kOldest) noexcept {
    const std::uint64_t head_now = head();
    std::uint64_t target = later(cursor_, head_now);
    if (to == ResyncTo::kOldest) {
      const std::uint64_t oldest = later(cursor_, reader_.oldest(head_now));
      target = earlier(oldest + resync_margin(slot_count(), overruns_in_a_row_), target);
    }
    // Head trails the slots while a batch is written: step over what is lapped already.
    for (std::uint64_t step = 0; step < slot_count() && reader_.is_lapped(target); ++step) ++target;
    const std::uint64_t jumped = target - cursor_;
    lost_ += jumped;
    ++overruns_;
    ++overruns_in_a_row_;
    cursor_ = target;
    commit();
    return jumped;
  }

  /// Publishes cursor() to a gated producer now; nothing in a forked child's copy. Every read that
  /// finds nothing does so by itself, and so does one that finds the last commit 1/8 of the ring
  /// behind.
  void commit() noexcept {
    if (cursor_word_ != nullptr && committed_ != cursor_) {
      if (!mark_.is_here()) [[unlikely]] {  // a forked child's copy: the gate is the parent's
        cursor_word_ = nullptr;
        return;
      }
      // (C4) Payload reads before the cursor, or the producer overwrites what is
      // still being read. Pairs with (P4).
      store_release(cursor_word_, cursor_);
      committed_ = cursor_;
    }
  }

  std::uint64_t cursor() const noexcept { return cursor_; }
  std::uint64_t start() const noexcept { return start_; }
  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t lost() const noexcept { return lost_; }
  std::uint64_t overruns() const noexcept { return overruns_; }
  Balance balance() const noexcept { return {start_, cursor_, received_, lost_, overruns_}; }

  /// Next sequence to be published, as the producer last stored it (once a batch).
  std::uint64_t head() const noexcept { return reader_.head(); }
  /// Events published and not read; 0 while the cursor is ahead of the stored head.
  std::uint64_t lag() const noexcept { return Sequence(head()).count_from(cursor_); }
  /// Whether the event at cursor() can be read or was overwritten: one load.
  bool has_work() const noexcept { return reader_.glance(cursor_) != ReadStatus::kEmpty; }

  const Mapping& mapping() const noexcept { return mapping_; }
  const Layout& layout() const noexcept { return reader_.layout(); }

 protected:
  explicit ConsumerCore(Mapping mapping)
      : mapping_(std::move(mapping)),
        reader_(mapping_,
                require_layout<Layout>(mapping_.geometry().slot, mapping_.name(), "consumer")) {}
  ConsumerCore(const ConsumerCore&) = default;
  ConsumerCore& operator=(const ConsumerCore&) = default;
  ConsumerCore(ConsumerCore&&) noexcept = default;
  ConsumerCore& operator=(ConsumerCore&&) noexcept = default;
  ~ConsumerCore() = default;

  /// @throws std::out_of_range  see BasicConsumer.
  std::uint64_t find_start(StartAt start_at, std::uint64_t sequence) const {
    const std::uint64_t head_now = head();
    if (start_at == StartAt::kNewest) return head_now;
    if (start_at == StartAt::kOldest) return reader_.oldest(head_now);
    const std::uint64_t first = reader_.first_sequence();
    if (sequence - first > head_now - first) {
      throw std::out_of_range(mapping_.name() + ": sequence " + std::to_string(sequence) +
                              " is not between the first, " + std::to_string(first) +
                              ", and head, " + std::to_string(head_now));
    }
    return sequence;
  }

  /// The first event that this consumer counts.
  void begin(std::uint64_t sequence) noexcept {
    start_ = cursor_ = sequence;
    reader_.begin(sequence);
  }
  /// From now on `word` is told of the cursor; null: nobody is.
  void commit_to(std::uint64_t* word) noexcept {
    cursor_word_ = word;
    commit_every_ = later(slot_count() / 8, 1);
    committed_ = cursor_ - 1;
    commit();
  }

 private:
  static constexpr unsigned kEmptyReadsPerLook = 64;  ///< at gone, a word beside busy ones

  /// Advances past the events that were handed out, whatever ends the call.
  struct KeptEvents {
    ConsumerCore& consumer;
    std::uint64_t count = 0;
    ~KeptEvents() {
      if (count != 0) consumer.advance(count);
    }
  };
  /// Of an event the payload. No closure that refers to `look`: GCC 12 would keep what `look`
  /// refers to in memory, and load it anew for each event.
  template <class T, class Look>
  struct LookAtPayload {
    Look look;
    [[gnu::always_inline]] decltype(auto) operator()(const SlotView<Layout>& view) noexcept(
        std::is_nothrow_invocable_v<Look&, const T&>) {
      return look_at_payload<T>(view.words(), look);
    }
  };
  template <class Look, class Keep>
  static constexpr bool never_throws() noexcept {
    using Found = std::invoke_result_t<Look&, const SlotView<Layout>&>;
    return std::is_nothrow_invocable_v<Look&, const SlotView<Layout>&> &&
           std::is_nothrow_invocable_v<Keep&, Found&&>;
  }

  std::uint64_t slot_count() const noexcept { return reader_.slot_count(); }

  /// Calls `take(slot, sequence)` for up to `count_max` published slots from the cursor on,
  /// until it returns false. Leaves the cursor where it is, and commits it if there are none.
  template <class Take>
  [[gnu::always_inline]] Burst read_slots(std::size_t count_max,
                                          Take take) noexcept(noexcept(take(nullptr, 0))) {
    const RingReader<Layout> reader = reader_;
    count_max = std::min<std::size_t>(count_max, reader.slot_count());
    const bool to_head = reader.drains(count_max);
    if (to_head) count_max = std::min(count_max, reader_.count_to_head(cursor_));
    ReadStatus status = ReadStatus::kEmpty;
    const std::size_t count = reader.walk(
        cursor_, count_max,
        [&](const std::byte* slot, std::uint64_t sequence) __attribute__((always_inline)) {
          if (!to_head) {
            status = reader.look(slot, sequence);
            if (status != ReadStatus::kEvent) [[unlikely]]
              return false;
          }
          if (take(slot, sequence)) [[likely]]
            return true;
          status = ReadStatus::kOverrun;
          return false;
        });
    if (count == 0) return {0, nothing_read(status)};
    reader_.note_read(count);
    return {count, ReadStatus::kEvent};
  }

  /// What a read that gave nothing reports; a gated producer is told of the cursor.
  ReadStatus nothing_read(ReadStatus status) noexcept {
    commit();
    if (status != ReadStatus::kEmpty || ++empty_reads_ % kEmptyReadsPerLook != 0) return status;
    return reader_.is_over(cursor_) ? ReadStatus::kGone : ReadStatus::kEmpty;
  }

  /// Past `count` events that were read, at least one: it ends a row of overruns.
  void advance(std::uint64_t count) noexcept {
    cursor_ += count;
    received_ += count;
    if (overruns_in_a_row_ != 0) [[unlikely]]
      overruns_in_a_row_ = 0;
    if (cursor_word_ != nullptr && cursor_ - committed_ >= commit_every_) commit();
  }

  Mapping mapping_;
  RingReader<Layout> reader_;
  std::uint64_t cursor_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t* cursor_word_ = nullptr;
  std::uint64_t committed_ = 0;
  std::uint64_t commit_every_ = 1;  ///< gated: events between two commits of the cursor
  unsigned overruns_in_a_row_ = 0;
  unsigned empty_reads_ = 0;
  std::uint64_t start_ = 0;  // from here on: not for each event
  std::uint64_t lost_ = 0;
  std::uint64_t overruns_ = 0;
  ProcessMark mark_;  ///< whose gate it is
};

}  // namespace evring
