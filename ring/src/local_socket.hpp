// SPDX-License-Identifier: MIT
// What goes over the socket of a named local ring: one request, one reply, and
// descriptors beside the reply; then, of a publisher, batches and their replies.
// SOCK_SEQPACKET, so a message is whole or absent. Documented for other languages in
// ring/PROTOCOL.md, "The socket".
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>
#include <evring/descriptor.hpp>
#include <evring/mapping.hpp>

#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

namespace evring {

inline constexpr std::uint64_t kSocketMagic = 0x006b636f73727665ULL;  // "evrsock", 0 in memory
inline constexpr std::uint32_t kSocketVersion = 1;

/// flags of AttachRequest; at most one of them
inline constexpr std::uint32_t kWantsRegistration = 1;
inline constexpr std::uint32_t kWantsToPublish = 2;
inline constexpr std::uint32_t kWantsGroup = 4;

/// Consumer to owner, once, first.
struct AttachRequest {
  std::uint64_t magic = kSocketMagic;
  std::uint32_t version = kSocketVersion;
  std::uint32_t flags = 0;
  std::uint32_t start_at = EVRING_START_NEWEST;
  std::uint32_t reserved = 0;
  std::uint64_t sequence = 0;
};
static_assert(sizeof(AttachRequest) == 32);

/// The same with kWantsGroup.
struct GroupRequest {
  AttachRequest attach;
  std::array<char, EVRING_NAME_BYTES> group{};  ///< its name, NUL-terminated
};
static_assert(sizeof(GroupRequest) == 64);

/// How long a first message with these flags is.
constexpr std::size_t request_bytes(std::uint32_t flags) noexcept {
  return (flags & kWantsGroup) != 0 ? sizeof(GroupRequest) : sizeof(AttachRequest);
}

/// Publisher to owner, any number of times; behind it event_count events, event_bytes
/// apart, as struct evring_inject lays them out.
struct PublishRequest {
  std::uint32_t event_count = 0;
  std::uint32_t event_bytes = 0;
};
inline constexpr std::size_t kPublishBytesMax = 1U << 16;  ///< of one message

/// Owner to the other side, for each request. With error 0, descriptors ride along with
/// the first: the memory file; after it, when registered: consumer page, doorbell page,
/// doorbell, timerfd; when of a group: its file, and in a gated ring the page of its cursor.
struct Reply {
  std::uint64_t magic = kSocketMagic;
  std::uint32_t version = kSocketVersion;
  std::int32_t error = 0;   ///< an errno; text says why
  std::uint32_t index = 0;  ///< of the registration; or how many events were published
  std::uint32_t descriptor_count = 0;
  std::uint64_t sequence = 0;
  std::array<char, 160> text{};
};
static_assert(sizeof(Reply) == 192);

inline constexpr std::size_t kDescriptorCountMax = 5;

/// @throws std::system_error (ENAMETOOLONG).
sockaddr_un socket_address(const std::filesystem::path& path);

/// A seqpacket socket connected to `path`, severed in forked children if `is_private`;
/// empty with errno where that fails.
FileDescriptor connect_to(const std::filesystem::path& path, bool is_private = false);

/// What a reply says instead; the connection is as good as before.
class Refused : public std::system_error {
 public:
  using std::system_error::system_error;
};

/// Sends `request` and takes the reply.
/// @throws Refused: what the reply says. std::system_error: EPROTO what it should not be;
///         others, and then a reply to this request may come before that to the next.
struct Answer {
  Reply reply;
  std::array<FileDescriptor, kDescriptorCountMax> descriptors;
};
Answer ask(int socket, const void* request, std::size_t request_bytes, const std::string& name);

/// A connection to the owner of a ring, its first answer, and the ring.
struct OwnerLink {
  FileDescriptor socket;
  Answer answer;
  Mapping mapping;
};

/// Connects to the owner of ring `name`, if it may be trusted (see attach_local()), and asks.
OwnerLink ask_owner(const std::string& name, const GroupRequest& request);

}  // namespace evring
