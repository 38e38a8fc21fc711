// SPDX-License-Identifier: MIT
// A group: consumers that share the events of one ring, each event to exactly one
// of them. Set-up and the account; group_member.hpp has the members themselves.
// Throws std::system_error, not for the hot path.
// Ordering: letters M1 to M9, explained in ring/PROTOCOL.md, "Groups".
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>
#include <evring/detail/group_record.hpp>
#include <evring/detail/lease.hpp>
#include <evring/local_ring.hpp>
#include <evring/mapping.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace evring {

/// The account of a whole group at one instant, dead members included.
struct GroupBalance {
  std::uint64_t start = 0;
  std::uint64_t claim = 0;     ///< next sequence to be claimed
  std::uint64_t received = 0;  ///< events that members were done with
  std::uint64_t lost = 0;      ///< events that were overwritten before a member read them
  std::uint64_t held = 0;      ///< claimed and not done with, by the living and the dead
  unsigned member_count = 0;   ///< records with an owner, living or dead

  bool balanced() const noexcept { return received + lost + held == claim - start; }
};

/// A record that this process holds: its index, and the lock that dies with it.
struct GroupPlace {
  unsigned index = 0;
  Lease lock;
  std::shared_ptr<const void> seat;  ///< a share of the group's registration
};

/// What the members of one group share: a sealed memory file that all of them map
/// writable, beside the ring that they map read-only. Copies share it.
///
/// Threads: each makes its GroupMember from a copy of this. Forked children: the same,
/// after the fork (a member does not survive one). Other processes: attach() to fd().
/// A member is dead when its process is, not when its thread is.
class Group {
 public:
  /// A group that shares `ring` from `start_at` on. In a gated ring the group takes one
  /// registration, which ends with the last copy of this group in this process and the last
  /// member in those forked of it.
  ///
  /// @throws std::system_error naming the call; ENOSPC when a gated ring has no
  ///         registration left. std::out_of_range for a bad `sequence`.
  static Group create(LocalRing& ring, StartAt start_at = StartAt::kOldest,
                      std::uint64_t sequence = 0);

  /// The same for any mapping; `gate` is the page of a cursor registered at `sequence`
  /// (a DeviceCursor's, say), which must outlive every member. Gated rings need it.
  ///
  /// @throws std::invalid_argument: the ring is gated and `gate` is null.
  static Group create(const Mapping& mapping, StartAt start_at = StartAt::kOldest,
                      std::uint64_t sequence = 0, evring_consumer_page* gate = nullptr);

  /// Joins the group of another process, whose fd() came by fork or over a socket.
  /// `fd` may be closed afterwards.
  ///
  /// @throws std::system_error (EPROTO) naming what was found and what was expected;
  ///         std::invalid_argument: the ring is gated and `gate` is null.
  static Group attach(int fd, const Mapping& mapping, evring_consumer_page* gate = nullptr);

  /// Joins the group `name` of a local ring of another process, through its owner, or
  /// makes it there, from `start_at` on. In a gated ring the group's seat is the owner's;
  /// it ends, and the group with it, with the last connection: with the last copy of each
  /// process's Group. A forked child attaches by itself; its parent's connection is not
  /// its own. What members held when it ended is given up.
  ///
  /// @throws std::system_error: as evring::attach_local(); ENOSPC: the ring is gated and
  ///         has no registration left.
  static Group attach_local(const std::string& ring, const std::string& name,
                            StartAt start_at = StartAt::kOldest, std::uint64_t sequence = 0);

  /// The group's memory file, to be handed to other processes.
  int fd() const noexcept;
  const Mapping& mapping() const noexcept;
  evring_group_page& page() const noexcept;
  /// Hangs up when the ring's owner goes away; -1 but after attach_local().
  int owner_fd() const noexcept;
  /// The cursor word of a gated ring's registration; null otherwise.
  std::uint64_t* gate() const noexcept;
  std::uint64_t start() const noexcept;
  /// Next sequence to be claimed. Any thread.
  std::uint64_t claim() const noexcept;

  /// One consistent look at all records. Any thread, no system call.
  /// @return nothing when members claimed during each of `attempt_count` looks.
  std::optional<GroupBalance> balance(unsigned attempt_count = 1000) const noexcept;

  /// How many members died and hold events that nobody was done with. A system call
  /// for each record that has an owner.
  unsigned dead_count() const;

  /// Takes a free record, or that of a dead member that held nothing.
  /// @throws std::system_error: ENOSPC, naming how many are dead and could be recovered;
  ///         EOWNERDEAD: in a forked child, when the registration in a gated ring has ended,
  ///         or was the parent's by attach_local().
  [[nodiscard]] GroupPlace join() const;
  /// Takes the record of a dead member that held events; see GroupRecovery. Throws as join().
  [[nodiscard]] std::optional<GroupPlace> take_dead() const;
  /// Gives a record back that holds nothing any more. Not from a forked child's copy.
  void leave(const GroupPlace& place) const noexcept;
  /// What the owner of a record that is not being written left there.
  GroupEntry held_by(unsigned index) const noexcept;

 private:
  struct Impl;
  explicit Group(std::shared_ptr<Impl> impl) noexcept;
  Lease own_description() const;
  std::shared_ptr<Impl> impl_;
};

}  // namespace evring
