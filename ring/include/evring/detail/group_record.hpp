// SPDX-License-Identifier: MIT
// The record of one member of a group: what it has claimed and how far it got, so
// written that it tells the truth whenever its owner dies.
// Invariant: over all records, received + lost + what is claimed and not done with
// equals claim - start, at every instant.
// Ordering: letters M1 to M10, explained in ring/PROTOCOL.md, "Groups".
#pragma once

#include <evring/abi.h>
#include <evring/memory.hpp>
#include <evring/sequence.hpp>

#include <cstdint>
#include <optional>

namespace evring {

/// Where a test may kill a member. See GroupMember's `Hook`.
enum class GroupStep {
  kEntryHalf,    ///< the next entry is half written
  kEntryStored,  ///< … written, not in force
  kRoundStored,  ///< … in force: the intent of a claim, or what is left of one
  kHelped,       ///< the claim before this one is confirmed
  kClaimed,      ///< the claim is made
  kEventCopied,  ///< one event of it was read
  kBurstRead,    ///< all of it was read, not yet handed to the caller
};

struct NoGroupHook {
  void operator()(GroupStep) const noexcept {}
};

/// One state of a member; see struct evring_group_entry.
struct GroupEntry {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
};

/// The claim word. Its sequence has 58 bits; the rest is taken from one nearby.
struct GroupClaim {
  static std::uint64_t word(std::uint64_t sequence, unsigned member) noexcept {
    return EVRING_GROUP_CLAIM(sequence, member);
  }
  static unsigned member(std::uint64_t word) noexcept { return static_cast<unsigned>(word & 63); }
  static std::uint64_t sequence(std::uint64_t word, std::uint64_t nearby) noexcept {
    const std::int64_t distance = Sequence(word & ~63ULL).distance_from(nearby << 6);
    return nearby + static_cast<std::uint64_t>(distance >> 6);
  }
};

inline std::uint64_t* group_word(__u64& field) noexcept {
  return reinterpret_cast<std::uint64_t*>(&field);
}
inline const std::uint64_t* group_word(const __u64& field) noexcept {
  return reinterpret_cast<const std::uint64_t*>(&field);
}

/// Writes one record. One thread: the owner's, or that of whoever recovers it.
class GroupJournal {
 public:
  explicit GroupJournal(evring_group_member& record) noexcept
      : record_(&record), round_(load_relaxed(group_word(record.round))) {}

  /// Puts `entry` in force, as a whole, whenever this process dies.
  template <class Hook = NoGroupHook>
  void write(const GroupEntry& entry) noexcept {
    evring_group_entry& next = record_->entry[(round_ + 1) & 1];
    // (M1) The round in force, and all reads of events that this entry gives up,
    // before its words: a look at the record mixes two entries without the first, a
    // gated producer overwrites what is still read without the second. Pairs with (M4).
    fence_release();
    store_relaxed(group_word(next.from), entry.from);
    store_relaxed(group_word(next.to), entry.to);
    Hook{}(GroupStep::kEntryHalf);
    store_relaxed(group_word(next.received), entry.received);
    store_relaxed(group_word(next.lost), entry.lost);
    Hook{}(GroupStep::kEntryStored);
    // (M2) The entry before its round, or a half-written one is in force. Pairs with (M3).
    store_release(group_word(record_->round), ++round_);
    Hook{}(GroupStep::kRoundStored);
  }

 private:
  evring_group_member* record_;
  std::uint64_t round_;
};

/// Reads a record that its owner may be writing.
///
/// @return nothing when the owner put entries in force at each of a few attempts.
inline std::optional<GroupEntry> read_group_entry(const evring_group_member& record) noexcept {
  constexpr unsigned kAttemptCount = 8;
  for (unsigned attempt = 0; attempt < kAttemptCount; ++attempt) {
    // (M3) The round before its entry. Pairs with (M2).
    const std::uint64_t round = load_acquire(group_word(record.round));
    const evring_group_entry& found = record.entry[round & 1];
    const GroupEntry entry{load_relaxed(group_word(found.from)), load_relaxed(group_word(found.to)),
                           load_relaxed(group_word(found.received)),
                           load_relaxed(group_word(found.lost))};
    // (M4) The entry before the second look at the round, or a mixed one passes.
    // Pairs with (M1).
    fence_acquire();
    if (load_relaxed(group_word(record.round)) == round) return entry;
  }
  return std::nullopt;
}

/// Whether member `index` holds the range of its `entry`. `claim` is the claim word,
/// loaded before this call and under (M6); a claim made after that load may be missed.
///
/// The end of a claim is never claimed twice, so it tells which one it was.
inline bool group_entry_holds(const evring_group_page& page, unsigned index,
                              const GroupEntry& entry, std::uint64_t claim) noexcept {
  if (entry.from == entry.to) return false;
  if (claim == GroupClaim::word(entry.to, index)) return true;
  return load_relaxed(group_word(page.confirmed[index])) == entry.to;
}

/// Makes the claim that stands in `claim` known for good, before the word changes: its
/// owner may have died before it could say so itself.
inline void confirm_group_claim(evring_group_page& page, std::uint64_t claim,
                                std::uint64_t end) noexcept {
  const unsigned member = GroupClaim::member(claim);
  if (member >= EVRING_GROUP_MEMBER_COUNT_MAX) return;
  std::uint64_t* confirmed = group_word(page.confirmed[member]);
  std::uint64_t seen = load_relaxed(confirmed);
  while (Sequence(end).is_after(seen)) {
    if (compare_exchange(confirmed, seen, end)) return;
  }
}

/// Lets a gated producer pass what every member is done with: raises `gate` (the cursor
/// word of the group's registration) to the lowest sequence that is still held.
///
/// @return where the gate stands now, as far as seen.
inline std::uint64_t advance_group_gate(const evring_group_page& page, std::uint64_t* gate,
                                        std::uint64_t nearby) noexcept {
  std::uint64_t seen = load_relaxed(gate);
  // (M6) The claim word before the records: of a claim that it counts, the intent is
  // seen; one made later begins at or past it. Pairs with (M5).
  const std::uint64_t claim = load_acquire(group_word(page.claim));
  std::uint64_t lowest = GroupClaim::sequence(claim, nearby);
  // (M8) Who left before what it left behind. Pairs with (M7). Who has joined, of every
  // claim that (M6) saw. Pairs with (M10).
  for (std::uint64_t rest = load_acquire(group_word(page.joined)); rest != 0; rest &= rest - 1) {
    const auto index = static_cast<unsigned>(__builtin_ctzll(rest));
    if (index >= EVRING_GROUP_MEMBER_COUNT_MAX) break;
    const std::optional<GroupEntry> entry = read_group_entry(page.member[index]);
    if (!entry) return seen;
    if (group_entry_holds(page, index, *entry, claim)) lowest = earlier(lowest, entry->from);
  }
  while (Sequence(lowest).is_after(seen)) {
    // (C4) as in BasicConsumer::commit(), for all members at once.
    if (compare_exchange(gate, seen, lowest)) return lowest;
  }
  return seen;
}

}  // namespace evring
