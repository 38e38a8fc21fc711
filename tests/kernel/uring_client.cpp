// SPDX-License-Identifier: MIT
// See uring_client.hpp.
#include "uring_client.hpp"

#include <poll.h>

#include <cstring>
#include <system_error>

namespace evring::kernel_test {
namespace {

constexpr std::uint8_t kUringCmd = 46;  // IORING_OP_URING_CMD

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(-result, std::generic_category(), what);
}

}  // namespace

UringClient::UringClient() { check(io_uring_queue_init(32, &ring_, 0), "io_uring_queue_init"); }
UringClient::~UringClient() { io_uring_queue_exit(&ring_); }

io_uring_sqe* UringClient::prepare(int fd, std::uint32_t operation, std::uint64_t user_data) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) throw std::system_error(EBUSY, std::generic_category(), "io_uring_get_sqe");
  std::memset(sqe, 0, sizeof(*sqe));
  sqe->opcode = kUringCmd;
  sqe->fd = fd;
  sqe->cmd_op = operation;
  sqe->user_data = user_data;
  return sqe;
}

void UringClient::arm(int fd, const evring_arm& request, std::uint64_t user_data) {
  io_uring_sqe* sqe = prepare(fd, EVRING_URING_ARM, user_data);
  std::memcpy(reinterpret_cast<char*>(sqe) + 48, &request, sizeof(request));
  check(io_uring_submit(&ring_), "io_uring_submit");
}

void UringClient::command(int fd, std::uint32_t operation, std::uint64_t user_data) {
  prepare(fd, operation, user_data);
  check(io_uring_submit(&ring_), "io_uring_submit");
}

void UringClient::poll(int fd, std::uint64_t user_data) {
  io_uring_sqe* sqe = prepare(fd, 0, user_data);
  sqe->opcode = IORING_OP_POLL_ADD;
  sqe->poll32_events = POLLIN;
  check(io_uring_submit(&ring_), "io_uring_submit");
}

std::optional<UringClient::Completion> UringClient::wait(std::chrono::milliseconds limit) {
  io_uring_cqe* cqe = nullptr;
  __kernel_timespec timeout{limit.count() / 1000, limit.count() % 1000 * 1000000};
  const int result = io_uring_wait_cqe_timeout(&ring_, &cqe, &timeout);
  if (result == -ETIME) return std::nullopt;
  check(result, "io_uring_wait_cqe_timeout");
  const Completion completion{cqe->user_data, cqe->res};
  io_uring_cqe_seen(&ring_, cqe);
  return completion;
}

}  // namespace evring::kernel_test
