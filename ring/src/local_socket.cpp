// SPDX-License-Identifier: MIT
// Where named local rings are found, and the words that go over their sockets.
#include "local_socket.hpp"

#include <evring/runtime_dir.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "evring/local_ring.hpp"
#include "fork_private.hpp"
#include "system.hpp"

namespace evring {
namespace {

constexpr std::string_view kSuffix = ".sock";

std::string sizes(std::uint64_t found, std::uint64_t expected) {
  return std::to_string(found) + ", expected " + std::to_string(expected);
}

/// Takes every descriptor of a message, so that none leaks whatever else is wrong.
std::size_t take_descriptors(msghdr& message, Answer& answer) {
  std::size_t count = 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t held = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < held; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      FileDescriptor owned(fd);
      if (count < kDescriptorCountMax) answer.descriptors[count++] = std::move(owned);
    }
  }
  return count;
}

Answer receive_answer(int socket, const std::string& name) {
  Answer answer;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorCountMax * sizeof(int))> control{};
  iovec part{&answer.reply, sizeof(answer.reply)};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t bytes =
      uninterrupted([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  if (bytes == 0 || (bytes < 0 && errno == ECONNRESET)) {
    throw_errno(name + ": its owner hung up", ECONNREFUSED);
  }
  if (bytes < 0) throw_errno(name + ": its owner does not answer");
  const std::size_t count = take_descriptors(message, answer);
  const Reply& reply = answer.reply;
  if (static_cast<std::size_t>(bytes) != sizeof(reply) || reply.magic != kSocketMagic) {
    throw_errno(name + ": its owner speaks another protocol", EPROTO);
  }
  if (reply.version != kSocketVersion) {
    throw_errno(name + ": socket protocol is " + sizes(reply.version, kSocketVersion), EPROTO);
  }
  if (reply.error != 0) {
    const auto end = std::find(reply.text.begin(), reply.text.end(), '\0');
    throw Refused(reply.error, std::generic_category(), std::string(reply.text.begin(), end));
  }
  if (count != reply.descriptor_count) {
    throw_errno(name + ": descriptors received are " + sizes(count, reply.descriptor_count),
                EPROTO);
  }
  return answer;
}

/// An owner hands out memory to be read and descriptors to wait on: who it is matters.
void check_owner(int socket, const std::optional<RuntimeDir>& folder, const std::string& name) {
  if (folder && folder->is_shared()) return;  // whoever names it has said so
  ucred owner{};
  socklen_t bytes = sizeof(owner);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &owner, &bytes) != 0) {
    throw_errno(name + ": asking who its owner is");
  }
  struct stat info {};
  const bool is_the_folders =
      folder && ::fstat(folder->fd(), &info) == 0 && owner.uid == info.st_uid;
  if (owner.uid == ::geteuid() || owner.uid == 0 || is_the_folders) return;
  throw_errno(name + ": its owner is user " + std::to_string(owner.uid) +
                  ", expected this user, root or the owner of the runtime folder",
              EPERM);
}

}  // namespace

bool is_ring_name(std::string_view name) noexcept {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() < EVRING_NAME_BYTES && name.front() != '.' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::filesystem::path local_socket_path(const std::string& name) {
  if (!is_ring_name(name)) {
    throw_errno('"' + name + "\": a ring's name is " + kRingNameRule, EINVAL);
  }
  return RuntimeDir::where() / (name + std::string(kSuffix));
}

sockaddr_un socket_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof(address.sun_path)) {
    throw_errno(text + ": socket path of " + sizes(text.size(), sizeof(address.sun_path) - 1) +
                    " at most (shorten the name, or the folder by EVRING_RUNTIME_DIR)",
                ENAMETOOLONG);
  }
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  return address;
}

FileDescriptor connect_to(const std::filesystem::path& path, bool is_private) {
  const sockaddr_un address = socket_address(path);
  const auto open = [] { return ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0); };
  FileDescriptor socket = is_private ? open_privately(open) : FileDescriptor(open());
  if (!socket) return socket;
  const timeval patience{2, 0};  // an owner that is stopped must not stop this process
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  const auto connect = [&] {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  };
  if (uninterrupted(connect) != 0) {
    const int error = errno;
    socket = FileDescriptor();
    errno = error;
  }
  return socket;
}

std::vector<std::string> local_ring_names() {
  std::vector<std::string> names;
  const std::optional<RuntimeDir> dir = RuntimeDir::find();
  if (!dir) return names;
  for (const std::filesystem::path file : dir->names()) {
    const std::string name = file.stem().string();
    if (file.extension() == kSuffix && is_ring_name(name) && connect_to(dir->path() / file)) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Answer ask(int socket, const void* request, std::size_t request_bytes, const std::string& name) {
  const auto send = [&] { return ::send(socket, request, request_bytes, MSG_NOSIGNAL); };
  // One that hung up may have said why before.
  const bool is_sent = uninterrupted(send) == static_cast<ssize_t>(request_bytes);
  if (!is_sent && errno != EPIPE && errno != ECONNRESET) throw_errno(name + ": asking its owner");
  return receive_answer(socket, name);
}

OwnerLink ask_owner(const std::string& name, const GroupRequest& request) {
  const std::filesystem::path path = local_socket_path(name);
  const auto folder = RuntimeDir::find();  // one that is refused has no owner to be asked
  // A child that kept a connection would keep what came with it: a seat, a group.
  FileDescriptor socket = connect_to(path, request.attach.flags != 0);
  if (!socket) {
    const int error = errno;
    const char* why = error == ENOENT         ? "no such local ring: "
                      : error == ECONNREFUSED ? "the owner of this local ring is dead: "
                                              : "connecting to the owner: ";
    throw_errno(name + ": " + why + path.native(), error);
  }
  check_owner(socket.get(), folder, name);
  Answer answer = ask(socket.get(), &request, request_bytes(request.attach.flags), name);
  if (answer.reply.descriptor_count == 0 || ::fcntl(answer.descriptors[0].get(), F_GET_SEALS) < 0) {
    throw_errno(name + ": no memory file came with the answer", EPROTO);
  }
  Mapping mapping = Mapping::attach(answer.descriptors[0].get(), name);
  return {std::move(socket), std::move(answer), std::move(mapping)};
}

}  // namespace evring
