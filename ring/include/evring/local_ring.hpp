// SPDX-License-Identifier: MIT
// A ring without module and without root: a sealed memory file, written by this
// process (and its forks), read-only for everyone else, handed out over a Unix
// socket when it has a name.
// Set-up code: throws std::system_error, not for the hot path.
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>
#include <evring/descriptor.hpp>
#include <evring/local_injector.hpp>
#include <evring/mapping.hpp>
#include <evring/registration.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace evring {

struct ProducerSide;

struct LocalRingOptions {
  std::uint64_t slot_count = 4096;  ///< a power of two
  AnySlotLayout slot{};             ///< see slot_of<Layout>()
  Mode mode = Mode::kOverwrite;
  std::uint64_t first_sequence = 0;
  std::string name = "anonymous";     ///< letters, digits, '-', '_', '.'
  unsigned registered_count_max = 8;  ///< consumers that may park or gate, 1..63
  bool huge_pages = false;            ///< ask for them; falls back, see LocalRing::huge_pages()
  unsigned socket_mode = 0600;        ///< permissions of a named ring's socket
};

/// `Layout` as LocalRingOptions::slot wants it.
template <class Layout>
constexpr AnySlotLayout slot_of() noexcept {
  return {Layout::format(), Layout::slot_bytes()};
}

/// Publishes what another process sent: `event_count` events, laid out and checked as
/// struct evring_inject says. Called by the thread that serves the ring, which must not
/// be made to wait. @return nothing: no time for it now.
using InjectHandler = std::function<std::optional<LocalInjected>(
    const std::byte* events, std::uint32_t event_count, std::uint32_t event_bytes)>;

/// Owns a local ring. Sealed against growing, shrinking and any new writer; the
/// writable mapping lives in this process and in what it forks. Copies share it;
/// the last one marks the ring gone (EVRING_GONE_CLOSED) if this process made it.
class LocalRing {
 public:
  /// For one program: threads, forked children, or whoever gets read_only_fd().
  /// @throws std::invalid_argument naming the option and its bounds;
  ///         std::system_error naming the call.
  static LocalRing anonymous(LocalRingOptions options = {});

  /// As anonymous(), and served under `options.name` on local_socket_path(name) by a
  /// thread of its own. A socket that a dead owner left behind is replaced.
  ///
  /// @param before_it_is_found  called with the ring before anybody can find it: what is to
  ///         hold for the first who does, as accept_injected(), is done here.
  /// @throws std::system_error: EADDRINUSE a living owner has that name; ETIMEDOUT another
  ///         process holds a lock on the runtime folder. What before_it_is_found() throws.
  static LocalRing named(LocalRingOptions options,
                         const std::function<void(LocalRing&)>& before_it_is_found = {});

  /// A read-only mapping, for consumers in this process.
  Mapping mapping() const;
  /// The memory file, open for reading only; pass it to Mapping::attach() elsewhere.
  int read_only_fd() const noexcept;
  const std::string& name() const noexcept;
  bool huge_pages() const noexcept;

  /// Registers a consumer of this process. In a gated ring no event at or past its
  /// sequence() is overwritten from now on.
  /// @throws std::system_error (ENOSPC) when registered_count_max are taken.
  [[nodiscard]] Registration register_consumer(StartAt start_at = StartAt::kNewest,
                                               std::uint64_t sequence = 0);

  /// Lets processes of this user, and of root, publish into this named ring (see
  /// LocalInjector) by `handler`; an empty one ends that. accept_injected() of
  /// shared_producer.hpp makes one. Any thread.
  /// @throws std::invalid_argument: the ring has no name, so nobody could.
  void set_inject_handler(InjectHandler handler);

  /// How many consumers are registered; a dead one counts until somebody needs its seat.
  unsigned registered_count() const noexcept;

  const std::shared_ptr<ProducerSide>& producer_side() const noexcept;

  struct Impl;

 private:
  explicit LocalRing(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

/// Whether `name` can be a ring's, or a group's: the one rule for all of them.
bool is_ring_name(std::string_view name) noexcept;
inline constexpr const char* kRingNameRule =
    "1 to 31 letters, digits, '-', '_' or '.', not starting with '.'";

/// NAME.sock in the runtime folder, by the environment; see RuntimeDir.
/// @throws std::system_error (EINVAL): no ring can have that name.
std::filesystem::path local_socket_path(const std::string& name);

/// Names of the local rings that answer on this machine for this user, sorted.
/// @throws RuntimeDirRefused: the folder is not one of this user.
std::vector<std::string> local_ring_names();

/// A local ring of another process.
struct Attachment {
  Mapping mapping;
  std::optional<Registration> registration;  ///< when asked for
  FileDescriptor owner_fd;                   ///< hangs up when the owner goes away
};

/// Connects to a named local ring. Its owner must be this user, root, or whoever owns the
/// runtime folder; anybody in a folder that EVRING_RUNTIME_DIR names (see RuntimeDir).
///
/// @param register_at  register there (to park, or to gate); nothing: look only. When
///                     registered, owner_fd is severed in forked children.
/// @throws std::system_error: ENOENT no such ring, ECONNREFUSED its owner is dead,
///         ENOSPC no registration free, EPROTO what the owner hands out is not what it
///         should be, EPERM the owner is somebody else, EINVAL no ring's name.
Attachment attach_local(const std::string& name, std::optional<StartAt> register_at = std::nullopt,
                        std::uint64_t sequence = 0);

}  // namespace evring
