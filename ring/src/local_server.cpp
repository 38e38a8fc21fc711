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
#include <array>
#include <cstring>

#include "fork_private.hpp"
#include "local_socket.hpp"
#include "system.hpp"

namespace evring {
namespace {

// Each connection takes a descriptor of this process, and a registered one two. Of 1,024,
// the usual limit, some are left whatever clients do.
constexpr std::size_t kClientCountMax = 256;
constexpr std::ptrdiff_t kClientCountPerUser = 128;
constexpr std::size_t kSilentCountMax = 16;
constexpr std::chrono::seconds kSilenceLimit{2};
constexpr int kListenBacklog = 64;
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/// The directory of the sockets, made if need be; its lock keeps two owners from
/// replacing the same dead socket. Anybody who may read it can hold that, for ever.
RuntimeDir lock_socket_dir() {
  constexpr int kTryCount = 2000;
  RuntimeDir dir = RuntimeDir::make();
  const auto lock = [&] { return ::flock(dir.fd(), LOCK_EX | LOCK_NB); };
  for (int i = 0; uninterrupted(lock) != 0; ++i) {
    const std::string& path = dir.path().native();
    if (errno != EWOULDBLOCK) throw_errno(path + ": flock");
    if (i == kTryCount) {
      throw_errno(path + ": another process holds a lock on it; end that one (lsof names it)",
                  ETIMEDOUT);
    }
    ::poll(nullptr, 0, 1);
  }
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

bool is_allowed(const ucred& peer, unsigned socket_mode) noexcept {
  if ((socket_mode & 0006) != 0) return true;
  if ((socket_mode & 0060) != 0 && peer.gid == ::getegid()) return true;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

/// Whoever sends a descriptor along is refused, where the kernel knows how (from 6.16 on):
/// a sent one that this process alone has left is closed by its threads, and may linger.
void refuse_descriptors(int listener) noexcept {
  const int no = 0;
  ::setsockopt(listener, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));  // connections inherit it
}

/// Ends what can be sent to `client` and takes what was, with the descriptors that came
/// along: what of them lingers must not do so at the close, for which forks are held.
void discard_unread(int client) noexcept {
  ::shutdown(client, SHUT_RDWR);
  const int yes = 1;  // every message shows that it cannot hand them over, an empty one too
  ::setsockopt(client, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
  msghdr message{};
  const auto takes_one = [&] {
    message = {};
    const auto take = [&] { return ::recvmsg(client, &message, MSG_DONTWAIT); };
    return uninterrupted(take) >= 0 && (message.msg_flags & MSG_CTRUNC) != 0;
  };
  while (takes_one()) {
  }
}

/// @return whether it went out whole: one who does not read has no room left.
bool send_response(int client, const Response& response) noexcept {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorCountMax * sizeof(int))> control{};
  const Reply& reply = response.reply;
  iovec part{const_cast<Reply*>(&reply), sizeof(reply)};
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
    std::memcpy(CMSG_DATA(header), response.descriptors.data(), bytes);
  }
  return ::sendmsg(client, &message, MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(sizeof(reply));
}

}  // namespace

LocalServer::LocalServer(std::shared_ptr<LocalMemory> memory, const Mapping& mapping)
    : service_(std::move(memory), mapping),
      path_(local_socket_path(service_.options().name)),
      message_(sizeof(PublishRequest) + kPublishBytesMax) {}

void LocalServer::open() {
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
  if (thread_ == nullptr) return;
  signal_event(stop_.get());
  thread_->join();
  ::unlink(path_.c_str());
  while (!clients_.empty()) hang_up(clients_.begin()->first);
  ::shutdown(listener_.get(), SHUT_RDWR);  // those that wait in its queue are left to be taken
  while (const FileDescriptor waiting = take_client()) discard_unread(waiting.get());
}

void LocalServer::bind_socket() {
  const RuntimeDir locked = lock_socket_dir();
  const sockaddr_un address = socket_address(path_);
  if (connect_to(path_)) throw_errno(path_.native() + ": has a living owner", EADDRINUSE);
  if (errno == ECONNREFUSED) ::unlink(path_.c_str());  // a dead owner left it
  FileDescriptor socket = opened(path_.native() + ": socket", [] {
    return ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  });
  const mode_t mode = service_.options().socket_mode & 0666;
  ::fchmod(socket.get(), mode);  // what bind() creates with, less the umask
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw_errno(path_.native() + ": bind");
  }
  // Nobody can connect before listen(), and nobody else may replace a file of this user's
  // in a runtime folder, so the path is still ours.
  if (::chmod(path_.c_str(), mode) != 0) throw_errno(path_.native() + ": chmod");
  refuse_descriptors(socket.get());
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
    const int count =
        ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), patience_ms());
    bool has_caller = false;
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
      if (fd == stop_.get()) return;
      if (fd == listener_.get()) {
        has_caller = true;
      } else if ((what & (EPOLLHUP | EPOLLERR)) != 0) {
        hang_up(fd);
      } else {
        hear(fd);
      }
    }
    hang_up_on_the_silent();
    // Last: a new connection may get the number of one that an event was about.
    if (has_caller) accept_client();
  }
}

/// Until the longest silent one has been so for too long; -1 when none is.
int LocalServer::patience_ms() const noexcept {
  if (silent_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(silent_.front().deadline - Clock::now());
  return std::max(static_cast<int>(left.count()), 0);
}

void LocalServer::hang_up_on_the_silent() noexcept {
  const Clock::time_point now = Clock::now();
  while (!silent_.empty() && silent_.front().deadline <= now) hang_up(silent_.front().fd);
}

bool LocalServer::has_room_for(uid_t uid) const noexcept {
  return clients_.size() < kClientCountMax &&
         std::ranges::count_if(clients_, [uid](const auto& entry) {
           return entry.second.session.uid == uid;
         }) < kClientCountPerUser;
}

FileDescriptor LocalServer::take_client() noexcept {
  return open_privately([this] {
    return ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  });
}

void LocalServer::accept_client() noexcept {
  // Whoever has something to say says it at once: of many silent ones the oldest goes.
  if (silent_.size() >= kSilentCountMax) hang_up(silent_.front().fd);
  FileDescriptor client = take_client();
  if (!client) {
    constexpr int kBreathMs = 10;
    // Out of descriptors: the connection stays in the queue until some are free.
    if (errno == EMFILE || errno == ENFILE) ::poll(nullptr, 0, kBreathMs);
    return;
  }
  const int fd = client.get();
  ucred peer{};
  socklen_t bytes = sizeof(peer);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0 ||
      !is_allowed(peer, service_.options().socket_mode)) {
    discard_unread(fd);
    return;
  }
  const bool is_one_too_many = !has_room_for(peer.uid);
  try {
    clients_[fd].socket = std::move(client);
    clients_[fd].session.uid = peer.uid;
    clients_[fd].is_one_too_many = is_one_too_many;
    silent_.push_back({fd, Clock::now() + kSilenceLimit});
    watch(poll_.get(), fd, EPOLLIN | EPOLLRDHUP);
  } catch (...) {
    hang_up(fd);
  }
}

void LocalServer::hear(int fd) noexcept {
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  Client& client = found->second;
  const ssize_t bytes = ::recv(fd, message_.data(), message_.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (bytes < 0) {
    if (errno != EAGAIN && errno != EINTR) hang_up(fd);
    return;
  }
  const auto length = static_cast<std::size_t>(bytes);
  if (length == 0 && client.has_asked && !client.session.may_publish) {
    // It has left, and may still watch the connection to learn of this owner's end.
    service_.leave(client.session);
    watch(poll_.get(), fd, 0, EPOLL_CTL_MOD);
    return;
  }
  const bool is_first = !std::exchange(client.has_asked, true);
  const bool is_whole = length != 0 && length <= message_.size();
  if (!is_whole || !(is_first || client.session.may_publish)) {
    hang_up(fd);
    return;
  }
  std::erase_if(silent_, [fd](const Silent& silent) { return silent.fd == fd; });
  if (!answer(client, is_first, {message_.data(), length})) hang_up(fd);
}

/// @return whether the connection may stay.
bool LocalServer::answer(Client& client, bool is_first,
                         std::span<const std::byte> message) noexcept {
  if (is_first && message.size() != sizeof(AttachRequest) &&
      message.size() != sizeof(GroupRequest)) {
    return false;
  }
  Response response;
  if (client.is_one_too_many) {
    say(response.reply, EMFILE, service_.options().name + ": its owner has too many connections");
  } else {
    response = is_first ? service_.attach(client.session, message)
                        : service_.publish(client.session, message);
  }
  return send_response(client.socket.get(), response) && !client.is_one_too_many;
}

void LocalServer::hang_up(int fd) noexcept {
  std::erase_if(silent_, [fd](const Silent& silent) { return silent.fd == fd; });
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  service_.leave(found->second.session);
  discard_unread(fd);
  clients_.erase(found);
}

}  // namespace evring
