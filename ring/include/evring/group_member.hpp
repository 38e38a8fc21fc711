// SPDX-License-Identifier: MIT
// The member of a group: claims by one compare-and-swap, then reads what is its own.
// No system call and no lock. And the recovery of what a dead member held, on its
// account: one that dies in the middle is itself recovered.
// Invariant: received() + lost() == claimed().
// Ordering: letters M1 to M10, explained in ring/PROTOCOL.md, "Groups".
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>
#include <evring/detail/group_record.hpp>
#include <evring/detail/ring_reader.hpp>
#include <evring/group.hpp>
#include <evring/memory.hpp>
#include <evring/sequence.hpp>
#include <evring/slot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <utility>

namespace evring {

/// @throws std::invalid_argument  the ring's slots are not `Layout`.
template <class Layout>
RingReader<Layout> group_reader(const Mapping& mapping) {
  return {mapping, require_layout<Layout>(mapping.geometry().slot, mapping.name(), "member")};
}

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
        reader_(group_reader<Layout>(group_.mapping())),
        place_(group_.join()),
        journal_(group_.page().member[place_.index]),
        claim_word_(group_word(group_.page().claim)),
        gate_(group_.gate()),
        before_(group_.held_by(place_.index)),
        to_(group_.claim()),
        gate_seen_(group_.start()) {
    from_ = to_;
    reader_.see_head();
  }
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;
  /// Done with what it holds, unless a throw ends it: then that burst, perhaps handled in
  /// part, is left to GroupRecovery as a dead member's is.
  ~GroupMember() {
    if (!place_.lock.is_mine()) return;
    if (from_ != to_ && std::uncaught_exceptions() > uncaught_exceptions_) return;
    commit();
    group_.leave(place_);
  }

  /// Claims the next event of the group and reads it. Lock-free, no system call.
  ///
  /// @return kEvent    `out` is the caller's alone.
  ///         kEmpty    nothing to claim; kGone as in ConsumerCore::try_read().
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
    if (!claim(std::min<std::uint64_t>(out.size(), reader_.slot_count()), skip)) {
      return {0, nothing_claimed()};
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
  static constexpr unsigned kGateScanEvery = 16;     ///< reads in a row that find nothing
  static constexpr unsigned kIdleReadsPerLook = 64;  ///< at gone, a word beside busy ones

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
    const std::uint64_t known = reader_.head_seen() - first;
    if (known <= reader_.slot_count() && known >= wanted) return wanted;
    if (wanted == 1 && reader_.has_stamps()) {
      const ReadStatus status = reader_.look(first);
      if (status != ReadStatus::kOverrun) return status == ReadStatus::kEvent ? 1 : 0;
    }
    return claimable_by_head(first, wanted, skip);
  }

  std::uint64_t claimable_by_head(std::uint64_t first, std::uint64_t wanted,
                                  std::uint64_t& skip) noexcept {
    const std::uint64_t head = reader_.see_head();
    const std::uint64_t lag = Sequence(head).count_from(first);
    if (lag == 0) {
      if (!reader_.drains()) return reader_.look(first) == ReadStatus::kEvent ? 1 : 0;
      reader_.note_nothing();
      return 0;
    }
    const std::uint64_t lapped = Sequence(reader_.oldest(head)).count_from(first);
    if (lapped != 0) {
      // Claims that found all overwritten, one after the other, keep a growing distance.
      skip = std::min(lapped + resync_margin(reader_.slot_count(), overruns_in_a_row_), lag);
    }
    return std::min(wanted, lag - skip);
  }

  /// Reads [sequence, to_). @return how many of them were still there.
  std::size_t read_claim(std::uint64_t sequence, EventType* out) noexcept {
    return reader_.copy(sequence, to_ - sequence, out, [] { Hook{}(GroupStep::kEventCopied); });
  }

  void account(std::uint64_t count) noexcept {
    const std::uint64_t taken = to_ - from_;
    claimed_ += taken;
    reader_.note_read(taken);
    received_ += count;
    idle_count_ = 0;
    overruns_in_a_row_ = count == 0 ? overruns_in_a_row_ + 1 : 0;
    if (count != taken) [[unlikely]] {
      lost_ += taken - count;
      ++overruns_;
    }
    if (gate_ != nullptr && to_ - gate_seen_ >= reader_.slot_count() / 8) advance_gate();
  }

  /// Nothing to claim: what was handed out before is done with.
  ReadStatus nothing_claimed() noexcept {
    commit();
    const unsigned before = idle_count_++;
    if (gate_ != nullptr && gate_seen_ != to_ && before % kGateScanEvery == 0) advance_gate();
    if (before % kIdleReadsPerLook != kIdleReadsPerLook - 1) return ReadStatus::kEmpty;
    return reader_.is_over(group_.claim()) ? ReadStatus::kGone : ReadStatus::kEmpty;
  }

  void advance_gate() noexcept { gate_seen_ = advance_group_gate(group_.page(), gate_, to_); }

  Group group_;
  RingReader<Layout> reader_;
  GroupPlace place_;
  GroupJournal journal_;
  std::uint64_t* claim_word_;
  std::uint64_t* gate_;
  GroupEntry before_;  ///< what earlier owners of the record were done with
  std::uint64_t from_ = 0;
  std::uint64_t to_;
  std::uint64_t gate_seen_;
  std::uint64_t claimed_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t overruns_ = 0;
  unsigned overruns_in_a_row_ = 0;
  unsigned idle_count_ = 0;
  int uncaught_exceptions_ = std::uncaught_exceptions();  ///< when it joined
};

/// The events that one dead member held, for one reader. Any thread of any process that
/// has the group may recover, a member or not; two never get the same.
///
/// The dead member may have handled some of these events, up to one burst: its last.
template <class Layout, class Hook = NoGroupHook>
class GroupRecovery {
 public:
  using EventType = BasicEvent<Layout>;

  /// Takes the record of a dead member that held events.
  /// @return nothing when there is none.
  /// @throws std::system_error; std::invalid_argument: the slots are not `Layout`.
  [[nodiscard]] static std::optional<GroupRecovery> begin(const Group& group) {
    std::optional<GroupPlace> place = group.take_dead();
    if (!place) return std::nullopt;
    return std::optional<GroupRecovery>(std::in_place, group, std::move(*place));
  }

  GroupRecovery(Group group, GroupPlace place)
      : group_(std::move(group)),
        reader_(group_reader<Layout>(group_.mapping())),
        place_(std::move(place)),
        journal_(group_.page().member[place_.index]),
        left_(group_.held_by(place_.index)) {
    if (!is_plausible()) left_.from = left_.to;
    next_ = left_.from;
  }
  GroupRecovery(const GroupRecovery&) = delete;
  GroupRecovery& operator=(const GroupRecovery&) = delete;
  /// What was handed out and not committed stays held by the dead member.
  ~GroupRecovery() = default;

  /// Reads up to out.size() of the events. Commits what it handed out before.
  ///
  /// @return kEvent; or, with 0, kOverrun: some were overwritten, read on; kEmpty: that
  ///         was all, and the record is free.
  Burst read_burst(std::span<EventType> out) noexcept {
    commit();
    if (next_ == left_.to || out.empty()) return {0, ReadStatus::kEmpty};
    const std::uint64_t first = next_;
    skip_overwritten();
    const std::uint64_t wanted = std::min<std::uint64_t>(out.size(), left_.to - next_);
    const std::size_t count = reader_.copy(next_, wanted, out.data(), [] {});
    next_ += wanted;
    received_ += count;
    lost_ += next_ - first - count;
    Hook{}(GroupStep::kBurstRead);
    return {count, count == 0 ? ReadStatus::kOverrun : ReadStatus::kEvent};
  }

  /// Says that the caller is done with all that was handed out; after the last event
  /// it gives the record back.
  void commit() noexcept {
    if (is_done_) return;
    if (next_ != left_.from) {
      left_.from = next_;
      journal_.template write<Hook>(
          {next_, left_.to, left_.received + received_, left_.lost + lost_});
    }
    if (next_ != left_.to) return;
    is_done_ = true;
    group_.leave(place_);
    if (group_.gate() != nullptr) {
      // (M9) as in GroupMember::commit().
      fence_full();
      advance_group_gate(group_.page(), group_.gate(), next_);
    }
  }

  /// The range that is not committed yet: [from(), to()).
  std::uint64_t from() const noexcept { return left_.from; }
  std::uint64_t to() const noexcept { return left_.to; }
  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t lost() const noexcept { return lost_; }
  unsigned dead_index() const noexcept { return place_.index; }

 private:
  /// A claim ends at most where the producer writes, of packed slots at head, which alone says
  /// what is published; a hostile record may say anything.
  bool is_plausible() const noexcept {
    const Sequence past = reader_.head() + (reader_.has_stamps() ? reader_.slot_count() : 0);
    return !Sequence(left_.from).is_after(left_.to) && !Sequence(left_.to).is_after(past);
  }

  /// Jumps over what cannot be in the ring any more, so a read is bounded by it.
  void skip_overwritten() noexcept {
    const Sequence oldest = reader_.oldest(reader_.head());
    next_ += std::min(oldest.count_from(next_), left_.to - next_);
  }

  Group group_;
  RingReader<Layout> reader_;
  GroupPlace place_;
  GroupJournal journal_;
  GroupEntry left_;
  std::uint64_t next_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  bool is_done_ = false;
};

}  // namespace evring
