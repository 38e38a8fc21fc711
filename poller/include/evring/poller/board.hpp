// SPDX-License-Identifier: MIT
// The board of consumers: what each poller of this user counts, for every program of
// theirs to read, without the poller's help. A poller counts in the file that it posts, so
// a post costs it no store, and a poller that hangs shows where.
// The file: ring/PROTOCOL.md, "The board". Ordering: letters B1 to B3, there.
#pragma once

#include <evring/consumer.hpp>
#include <evring/poller/counters.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace evring {

/// What a poller shows of one of its rings.
struct ConsumerEntry {
  std::string ring;  ///< `NAME` or `local:NAME`
  std::string who;   ///< PollerOptions::name
  std::uint64_t pid = 0;
  Balance balance;
  std::uint64_t doorbells = 0;
};

/// All rings of all pollers that post where this user looks (RuntimeDir) and are alive,
/// by ring and pid. Removes what this user's dead ones left behind, and nothing else.
/// Each count is whole; some may be a burst older than others.
/// @throws RuntimeDirRefused.
std::vector<ConsumerEntry> read_consumer_board();

/// The memory that one poller counts in: its file on the board, gone with this object or
/// with the process; or, where there is none, memory of its own. One thread; counts are
/// read by any. The copy in a forked child ends nothing.
class BoardPost {
 public:
  /// Posts as `who`; with `is_posted` false only counts.
  /// @throws std::bad_alloc; what the board refuses is told by refusal().
  BoardPost(const std::string& who, bool is_posted);
  BoardPost(const BoardPost&) = delete;
  BoardPost& operator=(const BoardPost&) = delete;
  ~BoardPost();

  /// Why this poller, or some of its rings, are not on the board; else empty.
  const std::string& refusal() const noexcept;

  PollerCounters& counters() noexcept;

  /// Shows a ring under a number of the caller's, its counts at 0. They lie where they
  /// are until the end of this object, for that number.
  RingCounters& show(unsigned id, const std::string& ring);
  /// Takes it off the board; its counts stay.
  void hide(unsigned id) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace evring
