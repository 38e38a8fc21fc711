// SPDX-License-Identifier: MIT
// Who lives. Whoever is something in a ring (its producer, a registered consumer, a
// member of a group) holds a write lock on its byte of a file, and the kernel drops that
// lock with the process. Who gets the lock of another has found it dead, and owns what
// it left. Explained in ring/PROTOCOL.md, "Who lives".
#pragma once

#include <evring/descriptor.hpp>

#include <cstdint>
#include <string>

namespace evring {

/// Tells the process that made it from those forked of it since. The one place in the
/// library where that is asked.
class ProcessMark {
 public:
  ProcessMark() noexcept;
  bool is_here() const noexcept;

 private:
  std::uint64_t generation_;
};

/// Locks on bytes of one file, through an open description that is this process's alone.
///
/// A forked child has no part in them: its copy is severed, holds nothing and ends
/// nothing. execve() closes it. What keeps a dead process's lease held is a child made by
/// clone(2) itself, past the C library, that neither executes nor ends.
/// Any thread; move-only.
class Lease {
 public:
  /// Holds nothing, and never will.
  Lease() = default;
  /// Opens the file of `fd` anew. Needs /proc.
  /// @throws std::system_error naming `what`.
  Lease(int fd, const std::string& what);

  /// Locks `byte`. @return false: another lease has it, in this process or elsewhere.
  bool take(unsigned byte) const noexcept;
  /// Locks `byte` beside others that share it; makes that of a lock of this lease.
  bool share(unsigned byte) const noexcept;
  void give_back(unsigned byte) const noexcept;
  /// Whether another lease has `byte`.
  bool is_taken(unsigned byte) const noexcept { return is_taken(file_.get(), byte); }
  /// Whether any lease has `byte` of the file of `fd`, as others open it.
  static bool is_taken(int fd, unsigned byte) noexcept;
  /// False in a forked child's copy, and for one that was moved from.
  bool is_mine() const noexcept { return file_ && mark_.is_here(); }

 private:
  FileDescriptor file_;
  ProcessMark mark_;
};

}  // namespace evring
