// SPDX-License-Identifier: MIT
// An io_uring, opened with the best flags that this kernel takes. Enabled by the
// first thread that submits, which is then its only issuer.
// Numbers of opcodes newer than the packaged liburing would be stated here.
#pragma once

#include <liburing.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace evring {

/// One line for people: why io_uring_setup failed with `error`, and what to do.
std::string explain_uring_refusal(int error);

class Uring {
 public:
  Uring() = default;
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;
  ~Uring();

  /// @return 0, or the errno of the refusal.
  int open(unsigned entry_count) noexcept;

  /// Sends a no-op there and back. @return 0, or the errno of what refused it.
  int try_nop() noexcept;

  unsigned setup_flags() const noexcept { return ring_.flags; }
  bool supports(unsigned opcode) const noexcept { return opcode < 256 && supported_[opcode]; }
  /// IORING_FEAT_EXT_ARG (5.11): a wait takes its time limit along.
  bool has_timed_wait() const noexcept { return (ring_.features & IORING_FEAT_EXT_ARG) != 0; }
  /// Multishot poll came with 5.13, as did IORING_FEAT_RSRC_TAGS.
  bool has_multishot_poll() const noexcept { return (ring_.features & IORING_FEAT_RSRC_TAGS) != 0; }

  /// A zeroed submission entry; submits what is queued when there is no room.
  io_uring_sqe* next_sqe() noexcept;

  /// Submits, and waits for a completion: `limit` negative for ever, 0 not at all.
  void enter(std::chrono::microseconds limit) noexcept;

  /// Whether enter(0) would find something: completions, or task work to run.
  bool pending() const noexcept {
    return io_uring_cq_ready(&ring_) != 0 || has_task_work() || io_uring_sq_ready(&ring_) != 0;
  }

  /// Calls `take(const io_uring_cqe&)` for each completion. @return how many.
  template <class Take>
  std::uint64_t reap(Take&& take) noexcept {
    std::uint64_t count = 0;
    io_uring_cqe* cqe = nullptr;
    while (io_uring_peek_cqe(&ring_, &cqe) == 0 && cqe != nullptr) {
      const io_uring_cqe copy = *cqe;
      io_uring_cqe_seen(&ring_, cqe);
      take(copy);
      ++count;
    }
    return count;
  }

 private:
  bool has_task_work() const noexcept {
    return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
  }
  void enable() noexcept;
  void read_opcodes() noexcept;

  io_uring ring_{};
  alignas(io_uring_sqe) unsigned char scratch_[sizeof(io_uring_sqe)] = {};
  bool open_ = false;
  bool enabled_ = false;
  bool supported_[256] = {};
};

}  // namespace evring
