// SPDX-License-Identifier: MIT
// Reads again what a dead member of a group had claimed and was not done with, on its
// account: a recovery that dies in the middle is itself recovered.
// Ordering: letters M1 to M9, explained in ring/PROTOCOL.md, "Groups".
#pragma once

#include <evring/consumer.hpp>
#include <evring/group.hpp>
#include <evring/group_record.hpp>
#include <evring/group_slots.hpp>
#include <evring/slot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace evring {

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
  static std::optional<GroupRecovery> begin(const Group& group) {
    std::optional<GroupPlace> place = group.take_dead();
    if (!place) return std::nullopt;
    return std::optional<GroupRecovery>(std::in_place, group, std::move(*place));
  }

  GroupRecovery(Group group, GroupPlace place)
      : group_(std::move(group)),
        slots_(group_.mapping()),
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
    if (next_ == left_.to) return {0, ReadStatus::kEmpty};
    const std::uint64_t first = next_;
    skip_overwritten();
    const std::uint64_t wanted = std::min<std::uint64_t>(out.size(), left_.to - next_);
    const std::size_t count = slots_.copy(next_, wanted, out.data(), [] {});
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
  /// A claim ends at most where the producer writes; a hostile record may say anything.
  bool is_plausible() const noexcept {
    const std::uint64_t past = slots_.head() + slots_.slot_count();
    return static_cast<std::int64_t>(left_.to - left_.from) >= 0 &&
           static_cast<std::int64_t>(past - left_.to) >= 0;
  }

  /// Jumps over what cannot be in the ring any more, so a read is bounded by it.
  void skip_overwritten() noexcept {
    const std::uint64_t jump = slots_.oldest(slots_.head()) - next_;
    if (static_cast<std::int64_t>(jump) > 0) next_ += std::min(jump, left_.to - next_);
  }

  Group group_;
  GroupSlots<Layout> slots_;
  GroupPlace place_;
  GroupJournal journal_;
  GroupEntry left_;
  std::uint64_t next_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  bool is_done_ = false;
};

}  // namespace evring
