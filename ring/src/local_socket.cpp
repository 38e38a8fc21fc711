// SPDX-License-Identifier: MIT
// Where named local rings are found, and the consumer's side of the handshake.
#include "local_socket.hpp"

#include <evring/runtime_dir.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "fork_private.hpp"
#include "registration.hpp"
#include "system.hpp"

namespace evring {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::string_view kSuffix = ".sock";

struct Answer {
  AttachReply reply;
  std::array<FileDescriptor, kDescriptorCountMax> descriptors;
};

std::string sizes(std::uint64_t found, std::uint64_t expected) {
  return std::to_string(found) + ", expected " + std::to_string(expected);
}

void send_request(int socket, const AttachRequest& request, const std::string& name) {
  const auto send = [&] { return ::send(socket, &request, sizeof(request), MSG_NOSIGNAL); };
  if (uninterrupted(send) != static_cast<ssize_t>(sizeof(request))) {
    throw_errno(name + ": asking its owner");
  }
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
  const AttachReply& reply = answer.reply;
  if (static_cast<std::size_t>(bytes) != sizeof(reply) || reply.magic != kSocketMagic) {
    throw_errno(name + ": its owner speaks another protocol", EPROTO);
  }
  if (reply.version != kSocketVersion) {
    throw_errno(name + ": socket protocol is " + sizes(reply.version, kSocketVersion), EPROTO);
  }
  if (reply.error != 0) {
    const auto end = std::find(reply.text.begin(), reply.text.end(), '\0');
    throw_errno(std::string(reply.text.begin(), end), reply.error);
  }
  if (count != reply.descriptor_count) {
    throw_errno(name + ": descriptors received are " + sizes(count, reply.descriptor_count),
                EPROTO);
  }
  return answer;
}

/// A page that its maker cannot cut under this process.
SharedPages map_page(const FileDescriptor& file, const std::string& what) {
  struct stat info {};
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  if (::fstat(file.get(), &info) != 0 || seals < 0 || (seals & F_SEAL_SHRINK) == 0 ||
      info.st_size < static_cast<off_t>(kPageBytes)) {
    throw_errno(what + ": not a sealed page", EPROTO);
  }
  return SharedPages(file.get(), kPageBytes, PROT_READ | PROT_WRITE, what);
}

Registration make_registration(Answer& answer, const Mapping& mapping, int socket,
                               const std::string& name) {
  if (answer.reply.descriptor_count != kDescriptorCountMax ||
      answer.reply.index >= EVRING_CONSUMER_COUNT_MAX) {
    throw_errno(name + ": the registration it answered with is not whole", EPROTO);
  }
  auto inside = std::make_unique<Registration::Impl>();
  inside->index = answer.reply.index;
  inside->sequence = answer.reply.sequence;
  inside->slot_count = mapping.geometry().slot_count;
  inside->mapping = mapping;
  inside->header = mapping.header();
  inside->page_pages = map_page(answer.descriptors[1], name + ": consumer page");
  inside->page = inside->page_pages.as<evring_consumer_page>();
  inside->doorbell_pages = map_page(answer.descriptors[2], name + ": doorbell page");
  inside->doorbell = inside->doorbell_pages.as<evring_doorbell_page>();
  inside->open_doorbell(answer.descriptors[3].get(), name);
  inside->owned_timer_fd = std::move(answer.descriptors[4]);
  inside->timer_fd = inside->owned_timer_fd.get();
  inside->owner = open_privately([=] { return ::fcntl(socket, F_DUPFD_CLOEXEC, 0); });
  if (!inside->owner) throw_errno(name + ": dup of the connection");
  return Registration(std::move(inside));
}

std::uint32_t to_abi(StartAt start_at) noexcept {
  switch (start_at) {
    case StartAt::kOldest:
      return EVRING_START_OLDEST;
    case StartAt::kSequence:
      return EVRING_START_SEQUENCE;
    default:
      return EVRING_START_NEWEST;
  }
}

}  // namespace

std::filesystem::path local_socket_path(const std::string& name) {
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
    if (file.extension() == kSuffix && connect_to(dir->path() / file)) {
      names.push_back(file.stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Attachment attach_local(const std::string& name, std::optional<StartAt> register_at,
                        std::uint64_t sequence) {
  const std::filesystem::path path = local_socket_path(name);
  RuntimeDir::find();  // a folder that is refused has no owner to be asked
  // A child of a registered consumer that kept the connection would keep the seat.
  FileDescriptor socket = connect_to(path, register_at.has_value());
  if (!socket) {
    const int error = errno;
    const char* why = error == ENOENT         ? "no such local ring: "
                      : error == ECONNREFUSED ? "the owner of this local ring is dead: "
                                              : "connecting to the owner: ";
    throw_errno(name + ": " + why + path.native(), error);
  }
  AttachRequest request;
  if (register_at) {
    request.flags = kWantsRegistration;
    request.start_at = to_abi(*register_at);
    request.sequence = sequence;
  }
  send_request(socket.get(), request, name);
  Answer answer = receive_answer(socket.get(), name);
  Attachment attachment{Mapping::attach(answer.descriptors[0].get(), name), std::nullopt, {}};
  if (register_at) {
    attachment.registration = make_registration(answer, attachment.mapping, socket.get(), name);
  }
  attachment.owner_fd = std::move(socket);
  return attachment;
}

}  // namespace evring
