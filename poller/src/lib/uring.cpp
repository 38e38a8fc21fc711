// SPDX-License-Identifier: MIT
#include "uring.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace evring {
namespace {

/// Best first. Deferred task work: completions are posted when we ask, never by
/// interrupting the poller; its flag word says when asking is worth a system call.
constexpr std::array<unsigned, 3> kFlagSets = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_R_DISABLED,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED,
    IORING_SETUP_R_DISABLED,
};

/// A ring may get the memory that another thread's ring has just given back. The kernel puts
/// one behind the other, but liburing maps by system calls that nobody else sees: this says
/// it in C++ too.
std::mutex mapping_mutex;

}  // namespace

Uring::~Uring() {
  const std::lock_guard lock(mapping_mutex);
  if (open_) io_uring_queue_exit(&ring_);
}

int Uring::open(unsigned entry_count) noexcept {
  const std::lock_guard lock(mapping_mutex);
  int result = -EINVAL;
  for (const unsigned flags : kFlagSets) {
    io_uring_params params{};
    params.flags = flags;
    result = io_uring_queue_init_params(entry_count, &ring_, &params);
    if (result != -EINVAL) break;
  }
  if (result < 0) return -result;
  open_ = true;
  read_opcodes();
  return 0;
}

void Uring::read_opcodes() noexcept {
  io_uring_probe* probe = io_uring_get_probe_ring(&ring_);
  if (probe == nullptr) return;
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    supported_[opcode] = io_uring_opcode_supported(probe, static_cast<int>(opcode)) != 0;
  }
  io_uring_free_probe(probe);
}

void Uring::enable() noexcept {
  if (enabled_) return;
  enabled_ = true;
  // By number: Debian's liburing declares io_uring_enable_rings() and does not export it.
  syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

io_uring_sqe* Uring::next_sqe() noexcept {
  enable();
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    // Another thread's io_uring: what would be asked for is dropped.
    sqe = io_uring_submit(&ring_) < 0 ? reinterpret_cast<io_uring_sqe*>(scratch_)
                                      : io_uring_get_sqe(&ring_);
  }
  std::memset(sqe, 0, sizeof(*sqe));
  return sqe;
}

int Uring::try_nop() noexcept {
  enable();
  io_uring_sqe* sqe = next_sqe();
  sqe->opcode = IORING_OP_NOP;
  const int submitted = io_uring_submit_and_wait(&ring_, 1);
  if (submitted < 0) return -submitted;
  return reap([](const io_uring_cqe&) {}) == 1 ? 0 : EIO;
}

void Uring::enter(std::chrono::microseconds limit) noexcept {
  enable();
  if (limit.count() == 0) {
    io_uring_submit_and_get_events(&ring_);
    return;
  }
  io_uring_cqe* cqe = nullptr;
  if (limit.count() < 0) {
    io_uring_submit_and_wait(&ring_, 1);
    return;
  }
  __kernel_timespec time{limit.count() / 1000000, limit.count() % 1000000 * 1000};
  io_uring_submit_and_wait_timeout(&ring_, &cqe, 1, &time, nullptr);
}

}  // namespace evring
