// SPDX-License-Identifier: MIT
// The member of a group: claims by one compare-and-swap, then reads what is its own.
// No system call and no lock.
// Invariant: received() + lost() == claimed().
// Ordering: letters M1 to M9, explained in ring/PROTOCOL.md, "Groups".
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>
#include <evring/drain.hpp>
#include <evring/group.hpp>
#include <evring/group_record.hpp>
#include <evring/group_slots.hpp>
#include <evring/memory.hpp>
#include <evring/slot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace evring {

/// One consumer of a group. One thread; any number of members per group, up to
/// EVRING_GROUP_MEMBER_COUNT_MAX.
///
/// What a read hands out counts as done with the next read, commit() or the end of this
/// object; until then, should this process die, it is held by the dead member and
/// GroupRecovery reads it again: at least once for the burst in flight, exactly once
/// for all else. `Hook` is called at every GroupStep, for tests that kill it there.
template <class Layout, class Hook = NoGroupHook>
class GroupMember {
 public:
  using EventType = BasicEvent<Layout>;

  /// Joins the group.
  /// @throws std::system_error (ENOSPC): it is full; std::invalid_argument: the ring's
  ///         slots are not `Layout`.
  explicit GroupMember(Group group)
      : group_(std::move(group)),
        slots_(group_.mapping()),
        place_(group_.join()),
        journal_(group_.page().member[place_.index]),
        claim_word_(group_word(group_.page().claim)),
        gate_(group_.gate()),
        before_(group_.held_by(place_.index)),
        to_(group_.claim()),
        head_(slots_.head()),
        gate_seen_(group_.start()) {
    from_ = to_;
  }
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;
  ~GroupMember() {
    if (!place_.lock.is_mine()) return;
    commit();
    group_.leave(place_);
  }

  /// Claims the next event of the group and reads it. Lock-free, no system call.
  ///
  /// @return kEvent    `out` is the caller's alone.
  ///         kEmpty    nothing to claim.
  ///         kOverrun  what was claimed is overwritten; it is counted, once for the
  ///                   group. Read on: a group resyncs by itself, to the oldest.
  ReadStatus try_read(EventType& out) noexcept {
    return read_burst(std::span<EventType, 1>(&out, 1)).status;
  }

  /// Claims up to out.size() events (at most slot_count) at once and reads them. As
  /// try_read() for each; those lost in between are skipped and counted.
  template <std::size_t kExtent>
  Burst read_burst(std::span<EventType, kExtent> out) noexcept {
    std::uint64_t skip = 0;
    if (!claim(std::min<std::uint64_t>(out.size(), slots_.slot_count()), skip)) {
      idle();
      return {0, ReadStatus::kEmpty};
    }
    const std::size_t count = read_claim(from_ + skip, out.data());
    account(count);
    Hook{}(GroupStep::kBurstRead);
    return {count, count == 0 ? ReadStatus::kOverrun : ReadStatus::kEvent};
  }
  Burst read_burst(std::span<EventType> out) noexcept {
    return read_burst<std::dynamic_extent>(out);
  }

  /// Says that the caller is done with all that was handed out.
  void commit() noexcept {
    if (from_ == to_) return;
    from_ = to_;
    journal_.template write<Hook>({to_, to_, before_.received + received_, before_.lost + lost_});
    if (gate_ != nullptr) {
      // (M9) This entry before the look at the others', or two members that end at once
      // each leave the gate to the other. Pairs with (M9).
      fence_full();
      advance_gate();
    }
  }

  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t lost() const noexcept { return lost_; }
  /// How many claims found events overwritten.
  std::uint64_t overruns() const noexcept { return overruns_; }
  std::uint64_t claimed() const noexcept { return claimed_; }
  bool balanced() const noexcept { return received_ + lost_ == claimed_; }
  unsigned index() const noexcept { return place_.index; }
  const Group& group() const noexcept { return group_; }

 private:
  static constexpr unsigned kGateScanEvery = 16;  ///< reads in a row that find nothing

  /// Takes up to `wanted` events for this member: [from_, to_), of which the first
  /// `skip` are overwritten.
  bool claim(std::uint64_t wanted, std::uint64_t& skip) noexcept {
    std::uint64_t word = load_relaxed(claim_word_);
    for (;;) {
      const std::uint64_t first = GroupClaim::sequence(word, to_);
      const std::uint64_t count = claimable(first, wanted, skip);
      if (skip + count == 0) return false;
      const std::uint64_t end = first + skip + count;
      journal_.template write<Hook>(
          {first, end, before_.received + received_, before_.lost + lost_});
      if (GroupClaim::member(word) != place_.index) {
        confirm_group_claim(group_.page(), word, first);
        Hook{}(GroupStep::kHelped);
      }
      // (M5) The intent, and that the claim before it is confirmed, before the claim:
      // of a dead member nobody could tell what it held. Pairs with (M6).
      if (compare_exchange(claim_word_, word, GroupClaim::word(end, place_.index))) {
        Hook{}(GroupStep::kClaimed);
        from_ = first;
        to_ = end;
        return true;
      }
    }
  }

  /// How many events from `first` on may be claimed, at most `wanted`: only published
  /// ones, so a claim never waits for the producer. `skip`: overwritten ones before them.
  std::uint64_t claimable(std::uint64_t first, std::uint64_t wanted, std::uint64_t& skip) noexcept {
    skip = 0;
    const std::uint64_t known = head_ - first;
    if (known <= slots_.slot_count() && known >= wanted) return wanted;
    if (wanted == 1) {
      const ReadStatus status = slots_.look(first);
      if (status != ReadStatus::kOverrun) return status == ReadStatus::kEvent ? 1 : 0;
    }
    return claimable_by_head(first, wanted, skip);
  }

  std::uint64_t claimable_by_head(std::uint64_t first, std::uint64_t wanted,
                                  std::uint64_t& skip) noexcept {
    head_ = slots_.head();
    const std::uint64_t lag = head_ - first;
    if (static_cast<std::int64_t>(lag) <= 0) {
      if (!drain_.is_on()) return slots_.look(first) == ReadStatus::kEvent ? 1 : 0;
      drain_.note_nothing();
      return 0;
    }
    const std::uint64_t lapped = slots_.oldest(head_) - first;
    if (static_cast<std::int64_t>(lapped) > 0) skip = std::min(lapped + margin(), lag);
    return std::min(wanted, lag - skip);
  }

  /// Claims that found all overwritten, one after the other, keep a growing distance.
  std::uint64_t margin() const noexcept {
    if (consecutive_overruns_ == 0) return 0;
    return slots_.slot_count() >> (consecutive_overruns_ >= 5 ? 1 : 6 - consecutive_overruns_);
  }

  /// Reads [sequence, to_). @return how many of them were still there.
  std::size_t read_claim(std::uint64_t sequence, EventType* out) noexcept {
    return slots_.copy(sequence, to_ - sequence, out, [] { Hook{}(GroupStep::kEventCopied); });
  }

  void account(std::uint64_t count) noexcept {
    const std::uint64_t taken = to_ - from_;
    claimed_ += taken;
    drain_.note_read(taken);
    received_ += count;
    idle_count_ = 0;
    consecutive_overruns_ = count == 0 ? consecutive_overruns_ + 1 : 0;
    if (count != taken) [[unlikely]] {
      lost_ += taken - count;
      ++overruns_;
    }
    if (gate_ != nullptr && to_ - gate_seen_ >= slots_.slot_count() / 8) advance_gate();
  }

  /// Nothing to claim: what was handed out before is done with.
  void idle() noexcept {
    commit();
    if (gate_ != nullptr && gate_seen_ != to_ && idle_count_++ % kGateScanEvery == 0) {
      advance_gate();
    }
  }

  void advance_gate() noexcept { gate_seen_ = advance_group_gate(group_.page(), gate_, to_); }

  Group group_;
  GroupSlots<Layout> slots_;
  GroupPlace place_;
  GroupJournal journal_;
  std::uint64_t* claim_word_;
  std::uint64_t* gate_;
  GroupEntry before_;  ///< what earlier owners of the record were done with
  std::uint64_t from_ = 0;
  std::uint64_t to_;
  std::uint64_t head_;  ///< as last seen
  std::uint64_t gate_seen_;
  std::uint64_t claimed_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t overruns_ = 0;
  unsigned consecutive_overruns_ = 0;
  unsigned idle_count_ = 0;
  Drain drain_;
};

}  // namespace evring
