// SPDX-License-Identifier: MIT
// A ring without module and without root: a sealed memory file, written by this
// process (and its forks), read-only for everyone else, handed out over a Unix
// socket when it has a name.
// Set-up code: throws std::system_error, not for the hot path.
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>
#include <evring/mapping.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace evring {

/// An owned file descriptor; closed at the end. -1 when empty.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_ = -1;
};

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

/// When a parked consumer wants its doorbell.
struct ArmRequest {
  std::uint16_t wake_events = 1;          ///< when so many events are there …
  std::chrono::microseconds wake{0};      ///< … or this long after the first; 0: with the first
  std::chrono::milliseconds max_idle{0};  ///< … or after so long without any; 0: the rung's bound
};

/// A registered consumer of a local ring: its page, its place in the doorbell page
/// and the two descriptors that wake it. Unregisters at the end. One thread.
class Registration {
 public:
  Registration(Registration&&) noexcept;
  Registration& operator=(Registration&&) noexcept;
  ~Registration();

  unsigned index() const noexcept;
  /// The sequence the registration starts at; pass it to BasicConsumer::gate().
  std::uint64_t sequence() const noexcept;
  evring_consumer_page* page() const noexcept;

  /// Asks for one doorbell for events at or past `cursor`.
  ///
  /// @return true: armed, now sleep on doorbell_fd() and timer_fd(). False: the
  ///         events are there already or the ring is gone, and nothing is armed.
  /// Pays the expensive side of the barrier (membarrier), so the producer need not.
  /// Publishes `cursor` to a gated producer too.
  bool arm(const ArmRequest& request, std::uint64_t cursor) noexcept;

  /// Takes the arm back and swallows a doorbell that rang meanwhile. After a
  /// wake-up too. @return whether it had rung.
  bool disarm() noexcept;

  /// Readable (an eventfd, non-blocking reads of 8 bytes) when the doorbell rang.
  int doorbell_fd() const noexcept;
  /// Readable (a timerfd) when `wake` has passed after the first event.
  int timer_fd() const noexcept;
  /// Hangs up when the ring's owner goes away; -1 within the owner's process.
  int owner_fd() const noexcept;

  struct Impl;
  explicit Registration(std::unique_ptr<Impl> impl) noexcept;

 private:
  std::unique_ptr<Impl> impl_;
};

/// Who is registered, in memory that the owner shares with what it forks and with
/// nobody else: what a consumer may write is in its page and the doorbell page only.
struct RegistrationTable {
  std::uint64_t registered = 0;    ///< bit i: consumer i is registered
  std::uint64_t taken = 0;         ///< bit i: index i is in use
  std::uint64_t change_count = 0;  ///< one more for each change of an entry
  std::uint64_t claim = 0;         ///< gated: end of what the producer asks the gate for
  std::uint64_t reserved[4]{};
  struct Entry {
    std::uint64_t change_count = 0;  ///< one more for each change of this entry
    std::uint64_t start = 0;         ///< where the cursor begins
    std::uint64_t pid = 0;           ///< of the process that registered; 0 behind a socket
  };
  std::array<Entry, EVRING_CONSUMER_COUNT_MAX> entries{};
};

/// What the producer's side of a local ring needs; shared with forked children.
struct ProducerSide {
  evring_header* header = nullptr;
  std::byte* slots = nullptr;
  Geometry geometry;
  evring_doorbell_page* doorbell = nullptr;
  RegistrationTable* table = nullptr;
  std::array<evring_consumer_page*, EVRING_CONSUMER_COUNT_MAX> pages{};
  std::array<int, EVRING_CONSUMER_COUNT_MAX> doorbell_fds{};
  std::array<int, EVRING_CONSUMER_COUNT_MAX> timer_fds{};
  int lock_fd = -1;               ///< which process has the producer: its record lock
  std::atomic<int> lock_pid = 0;  ///< and whether this one has; a pid, for forks copy it
};

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
  /// @throws std::system_error (EADDRINUSE) when a living owner has that name.
  static LocalRing named(LocalRingOptions options);

  /// A read-only mapping, for consumers in this process.
  Mapping mapping() const;
  /// The memory file, open for reading only; pass it to Mapping::attach() elsewhere.
  int read_only_fd() const noexcept;
  const std::string& name() const noexcept;
  bool huge_pages() const noexcept;

  /// Registers a consumer of this process. In a gated ring no event at or past its
  /// sequence() is overwritten from now on.
  /// @throws std::system_error (ENOSPC) when registered_count_max are taken.
  Registration register_consumer(StartAt start_at = StartAt::kNewest, std::uint64_t sequence = 0);

  const std::shared_ptr<ProducerSide>& producer_side() const noexcept;

  struct Impl;

 private:
  explicit LocalRing(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

/// $XDG_RUNTIME_DIR/evring/NAME.sock; /run/evring for root and /tmp/evring-UID
/// for others where that is not set.
std::filesystem::path local_socket_path(const std::string& name);

/// Names of the local rings that answer on this machine for this user, sorted.
std::vector<std::string> local_ring_names();

/// A local ring of another process.
struct Attachment {
  Mapping mapping;
  std::optional<Registration> registration;  ///< when asked for
  FileDescriptor owner_fd;                   ///< hangs up when the owner goes away
};

/// Connects to a named local ring.
///
/// @param register_at  register there (to park, or to gate); nothing: look only.
/// @throws std::system_error: ENOENT no such ring, ECONNREFUSED its owner is dead,
///         ENOSPC no registration free, EPROTO the header is wrong.
Attachment attach_local(const std::string& name, std::optional<StartAt> register_at = std::nullopt,
                        std::uint64_t sequence = 0);

}  // namespace evring
