// SPDX-License-Identifier: MIT
// See local_server.hpp.
#include "local_server.hpp"

#include <evring/runtime_dir.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "fork_private.hpp"
#include "system.hpp"

namespace evring {
namespace {

constexpr std::size_t kClientCountMax = 1024;
constexpr int kListenBacklog = 64;

/// The directory of the sockets, made if need be; its lock keeps two owners from
/// replacing the same dead socket.
RuntimeDir lock_socket_dir() {
  RuntimeDir dir = RuntimeDir::make();
  if (uninterrupted([&] { return ::flock(dir.fd(), LOCK_EX); }) != 0)
    throw_errno(dir.path().native() + ": flock");
  return dir;
}

void watch(int poll, int fd, std::uint32_t events, int how = EPOLL_CTL_ADD) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(poll, how, fd, &event) != 0) throw_errno("epoll_ctl");
}

/// Opens by `open()`, for this process and not for its forks.
template <class Open>
FileDescriptor opened(const std::string& what, Open&& open) {
  FileDescriptor fd = open_privately(std::forward<Open>(open));
  if (!fd) throw_errno(what);
  return fd;
}

bool is_allowed(int client, unsigned socket_mode) noexcept {
  if ((socket_mode & 0006) != 0) return true;
  ucred peer{};
  socklen_t bytes = sizeof(peer);
  if (::getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) return false;
  if ((socket_mode & 0060) != 0 && peer.gid == ::getegid()) return true;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

void say(AttachReply& reply, int error, const std::string& text) noexcept {
  reply.error = error;
  const std::size_t bytes = std::min(text.size(), reply.text.size() - 1);
  std::memcpy(reply.text.data(), text.data(), bytes);
}

void send_reply(int client, const AttachReply& reply, const int* descriptors) noexcept {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorCountMax * sizeof(int))> control{};
  iovec part{const_cast<AttachReply*>(&reply), sizeof(reply)};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (reply.descriptor_count != 0) {
    const std::size_t bytes = reply.descriptor_count * sizeof(int);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors, bytes);
  }
  // A client that is gone already is noticed by its hang-up.
  [[maybe_unused]] const ssize_t sent = ::sendmsg(client, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

StartAt start_of(std::uint32_t abi) noexcept {
  if (abi == EVRING_START_OLDEST) return StartAt::kOldest;
  return abi == EVRING_START_SEQUENCE ? StartAt::kSequence : StartAt::kNewest;
}

}  // namespace

LocalServer::LocalServer(std::shared_ptr<LocalMemory> memory)
    : memory_(std::move(memory)), path_(local_socket_path(memory_->options.name)) {
  bind_socket();
  try {
    stop_ = opened("eventfd", [] { return ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); });
    poll_ = opened("epoll_create1", [] { return ::epoll_create1(EPOLL_CLOEXEC); });
    watch(poll_.get(), listener_.get(), EPOLLIN);
    watch(poll_.get(), stop_.get(), EPOLLIN);
    start_thread();
  } catch (...) {
    ::unlink(path_.c_str());
    throw;
  }
}

LocalServer::~LocalServer() {
  if (!owner_.is_here()) {
    static_cast<void>(thread_.release());  // the thread is the owner's; nothing runs here
    return;
  }
  signal_event(stop_.get());
  thread_->join();
  ::unlink(path_.c_str());
  while (!clients_.empty()) hang_up(clients_.begin()->first);
}

void LocalServer::bind_socket() {
  const RuntimeDir locked = lock_socket_dir();
  const sockaddr_un address = socket_address(path_);
  if (connect_to(path_)) throw_errno(path_.native() + ": has a living owner", EADDRINUSE);
  if (errno == ECONNREFUSED) ::unlink(path_.c_str());  // a dead owner left it
  FileDescriptor socket = opened(path_.native() + ": socket", [] {
    return ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  });
  ::fchmod(socket.get(), memory_->options.socket_mode & 0666);  // what bind() creates with
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw_errno(path_.native() + ": bind");
  }
  if (::listen(socket.get(), kListenBacklog) != 0) throw_errno(path_.native() + ": listen");
  listener_ = std::move(socket);
}

/// The thread takes no signals: they are for the program.
void LocalServer::start_thread() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::make_unique<std::thread>([this] { serve(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LocalServer::serve() noexcept {
  for (;;) {
    std::array<epoll_event, 16> events;
    const int count = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
      if (fd == stop_.get()) return;
      if (fd == listener_.get()) {
        accept_client();
      } else if ((what & (EPOLLHUP | EPOLLERR)) != 0) {
        hang_up(fd);
      } else {
        hear(fd);
      }
    }
  }
}

void LocalServer::accept_client() noexcept {
  FileDescriptor client = open_privately([this] {
    return ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  });
  if (!client) {
    constexpr int kBreathMs = 10;
    // Out of descriptors: the connection stays in the queue until some are free.
    if (errno == EMFILE || errno == ENFILE) ::poll(nullptr, 0, kBreathMs);
    return;
  }
  if (clients_.size() >= kClientCountMax ||
      !is_allowed(client.get(), memory_->options.socket_mode)) {
    return;
  }
  const int fd = client.get();
  try {
    clients_[fd].socket = std::move(client);
    watch(poll_.get(), fd, EPOLLIN | EPOLLRDHUP);
  } catch (...) {
    clients_.erase(fd);
  }
}

void LocalServer::hear(int fd) noexcept {
  Client& client = clients_[fd];
  AttachRequest request;
  const ssize_t bytes = ::recv(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
  if (bytes < 0) {
    if (errno != EAGAIN && errno != EINTR) hang_up(fd);
    return;
  }
  if (bytes == 0 && client.has_asked) {
    // It has left, and may still watch the connection to learn of this owner's end.
    leave(client);
    watch(poll_.get(), fd, 0, EPOLL_CTL_MOD);
    return;
  }
  if (client.has_asked || static_cast<std::size_t>(bytes) != sizeof(request)) {
    hang_up(fd);
    return;
  }
  client.has_asked = true;
  answer(fd, request);
}

void LocalServer::answer(int fd, const AttachRequest& request) noexcept {
  Client& client = clients_[fd];
  AttachReply reply;
  try {
    fill_reply(request, client, reply);
  } catch (const std::system_error& error) {
    say(reply, error.code().value(), error.what());
  } catch (const std::out_of_range& error) {
    say(reply, ERANGE, error.what());
  } catch (...) {
    say(reply, ENOMEM, memory_->options.name + ": its owner is out of memory");
  }
  std::array<int, kDescriptorCountMax> descriptors{};
  if (reply.error == 0) {
    descriptors[0] = memory_->read_only_file.get();
    reply.descriptor_count = 1;
  }
  if (client.seat) {
    const ConsumerSeat& seat = memory_->seats[client.seat->index];
    descriptors = {memory_->read_only_file.get(), seat.page_file.get(),
                   memory_->doorbell_file.get(), seat.doorbell.get(), seat.timer.get()};
    reply.descriptor_count = kDescriptorCountMax;
  }
  send_reply(fd, reply, descriptors.data());
}

void LocalServer::fill_reply(const AttachRequest& request, Client& client, AttachReply& reply) {
  const std::string& name = memory_->options.name;
  if (request.magic != kSocketMagic || request.version != kSocketVersion ||
      (request.flags & ~kWantsRegistration) != 0 || request.reserved != 0 ||
      request.start_at > EVRING_START_SEQUENCE) {
    throw_errno(
        name + ": the request is not one of socket protocol " + std::to_string(kSocketVersion),
        EPROTO);
  }
  if ((request.flags & kWantsRegistration) == 0) return;
  client.seat = take_seat(memory_->side, memory_->options.registered_count_max,
                          start_of(request.start_at), request.sequence, name);
  reply.index = client.seat->index;
  reply.sequence = client.seat->sequence;
}

void LocalServer::leave(Client& client) noexcept {
  if (client.seat) leave_seat(memory_->side, *client.seat);
  client.seat.reset();
}

void LocalServer::hang_up(int fd) noexcept {
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  leave(found->second);
  clients_.erase(found);
}

}  // namespace evring
