// SPDX-License-Identifier: MIT
// What goes over the socket of a named local ring: one request, one reply, and
// descriptors beside the reply. SOCK_SEQPACKET, so a message is whole or absent.
// Documented for other languages in ring/PROTOCOL.md, "The socket".
#pragma once

#include <evring/abi.h>
#include <evring/descriptor.hpp>

#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace evring {

inline constexpr std::uint64_t kSocketMagic = 0x006b636f73727665ULL;  // "evrsock", 0 in memory
inline constexpr std::uint32_t kSocketVersion = 1;

/// flags of AttachRequest
inline constexpr std::uint32_t kWantsRegistration = 1;

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

/// Owner to consumer, once. With error 0, descriptors ride along: the memory file;
/// after it, when registered: consumer page, doorbell page, eventfd, timerfd.
struct AttachReply {
  std::uint64_t magic = kSocketMagic;
  std::uint32_t version = kSocketVersion;
  std::int32_t error = 0;  ///< an errno; text says why
  std::uint32_t index = 0;
  std::uint32_t descriptor_count = 0;
  std::uint64_t sequence = 0;
  std::array<char, 160> text{};
};
static_assert(sizeof(AttachReply) == 192);

inline constexpr std::size_t kDescriptorCountMax = 5;

/// @throws std::system_error (ENAMETOOLONG).
sockaddr_un socket_address(const std::filesystem::path& path);

/// A seqpacket socket connected to `path`, severed in forked children if `is_private`;
/// empty with errno where that fails.
FileDescriptor connect_to(const std::filesystem::path& path, bool is_private = false);

}  // namespace evring
