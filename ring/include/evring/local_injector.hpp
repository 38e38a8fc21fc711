// SPDX-License-Identifier: MIT
// Publishing into a named local ring of another process, through its owner: for tools,
// not for speed. The owner checks each event and publishes it by a producer of its own.
#pragma once

#include <evring/descriptor.hpp>
#include <evring/mapping.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace evring {

struct OwnerLink;

/// What an injection did; published_count < asked means dropped by a gated ring.
struct LocalInjected {
  std::uint32_t published_count = 0;
  std::uint64_t first_sequence = 0;  ///< of the first one published
};

/// A connection to the owner of a named local ring, to publish there. One thread.
///
/// The owner must have said that it takes events (accept_injected()), and must be this
/// user's process, or this user root.
class LocalInjector {
 public:
  /// @throws std::system_error: as attach_local(); EOPNOTSUPP: the owner takes no events;
  ///         EACCES: not from this user.
  explicit LocalInjector(const std::string& name);

  /// As Device::inject(): `event_count` events laid out as struct evring_inject says,
  /// `event_bytes` each. In batches of at most 64 KiB; one that the owner has no time for
  /// is offered again, for up to two seconds.
  ///
  /// @throws std::system_error: EINVAL naming what is wrong with the events; ETIMEDOUT the
  ///         owner's producer is busy; ECONNREFUSED the owner is gone. After EAGAIN, the
  ///         owner does not answer, or any other error of the connection, that batch may be
  ///         published yet, and all later ones are refused (ECONNREFUSED): make a new one.
  LocalInjected inject(const void* events, std::uint32_t event_count, std::uint32_t event_bytes);

  /// The ring, for its geometry.
  const Mapping& mapping() const noexcept { return mapping_; }
  const std::string& name() const noexcept { return name_; }

 private:
  LocalInjector(const std::string& name, OwnerLink&& link) noexcept;
  LocalInjected inject_batch(const std::byte* events, std::uint32_t event_count,
                             std::uint32_t event_bytes);

  std::string name_;
  FileDescriptor socket_;
  Mapping mapping_;
};

}  // namespace evring
