// SPDX-License-Identifier: MIT
// One ring as a poller holds it: the mapping, the consumer, and the way to its
// doorbell, be it a local ring of this process, of another one, or a device.
// Set-up code throws; a source belongs to the thread that polls it.
#pragma once

#include <evring/consumer.hpp>
#include <evring/device.hpp>
#include <evring/group.hpp>
#include <evring/group_member.hpp>
#include <evring/local_ring.hpp>
#include <evring/mapping.hpp>
#include <evring/poller/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace evring {

/// Why a ring will give no more events.
enum class GoneReason : std::uint8_t {
  kNot,
  kRemoved,    ///< the device was removed
  kClosed,     ///< the owner of the local ring closed it
  kOwnerDied,  ///< the owner of the local ring died without closing it
  kLeft,       ///< this poller was asked to leave it
};
const char* to_string(GoneReason reason) noexcept;

struct LinkOptions {
  StartAt start_at = StartAt::kNewest;
  std::uint64_t sequence = 0;  ///< for StartAt::kSequence
  bool doorbell = true;        ///< register where that is needed to park; see RingLink
  bool in_group = false;       ///< for a member of a group, which holds the seat itself
};

/// A ring and the way to its doorbell, without the consumer.
///
/// A gated ring is always registered, so that its producer waits for this reader. An
/// overwriting local ring is registered for its doorbell alone; where no place is
/// left the link works without one and doorbell_refusal() says why. In a gated ring the
/// seats are for cursors: a member of a group has none there, and so no doorbell.
class RingLink {
 public:
  /// Opens a ring by name: `local:NAME`, or the device `NAME` or `/dev/evring/NAME`.
  /// @throws std::system_error, one line with the name, the reason and the remedy.
  static RingLink open(const std::string& name, const LinkOptions& options = {});
  /// The same, for whom a ring that is not there is no surprise.
  static Result<RingLink> try_open(const std::string& name, const LinkOptions& options = {}) {
    return try_to([&] { return open(name, options); });
  }
  /// A local ring of this process.
  static RingLink of(LocalRing ring, const LinkOptions& options = {});

  RingLink(RingLink&&) noexcept = default;
  RingLink& operator=(RingLink&&) noexcept = default;

  /// `local:NAME` or the device's name.
  const std::string& name() const noexcept { return name_; }
  const Mapping& mapping() const noexcept { return *mapping_; }
  bool is_device() const noexcept { return device_.has_value(); }
  bool is_gated() const noexcept { return mapping_->geometry().mode == Mode::kGated; }
  const LinkOptions& options() const noexcept { return options_; }

  Registration* registration() noexcept { return registration_.get(); }
  Device* device() noexcept { return device_ ? &*device_ : nullptr; }
  std::uint64_t device_capabilities() const noexcept { return capabilities_; }
  /// Hangs up when the owner of a local ring of another process goes; else -1.
  int owner_fd() const noexcept;
  /// Why there is no doorbell; empty when there is one.
  const std::string& doorbell_refusal() const noexcept { return doorbell_refusal_; }

  /// Whether nothing is published at or past `cursor`: one relaxed load.
  bool is_empty_from(std::uint64_t cursor) const noexcept;

  /// From the header: one relaxed load. Does not see an owner's sudden death; a
  /// parker learns that from owner_fd() and notes it here.
  GoneReason gone() const noexcept;
  void note_gone(GoneReason reason) noexcept { noted_gone_ = reason; }

  /// A consumer that starts where options() say, gated where the ring is. One that is
  /// registered starts where the registration does: an owner who waits for it and then
  /// publishes has not published past it.
  template <class Layout>
  BasicGatedConsumer<Layout> make_consumer() {
    using Gated = BasicGatedConsumer<Layout>;
    if (device_cursor_ != nullptr) return Gated(mapping(), device_cursor_);
    if (is_gated()) return Gated(mapping(), registration_);
    const bool has_seat = registration_ != nullptr;
    return Gated(BasicConsumer<Layout>(mapping(), has_seat ? StartAt::kSequence : options_.start_at,
                                       has_seat ? registration_->sequence() : options_.sequence));
  }

 private:
  RingLink() = default;
  static RingLink open_local(const std::string& name, const LinkOptions& options);
  static RingLink open_device(const std::string& name, const LinkOptions& options);
  bool takes_gate() const noexcept { return is_gated() && !options_.in_group; }
  bool takes_doorbell() const noexcept {
    return options_.doorbell && !(is_gated() && !takes_gate());
  }
  /// Why there is no doorbell where none is taken.
  const char* no_doorbell() const noexcept;

  std::string name_;
  LinkOptions options_;
  std::optional<LocalRing> ring_;  ///< keeps a ring of this process alive
  std::optional<Mapping> mapping_;
  std::shared_ptr<Registration> registration_;  ///< shared with a gated consumer
  FileDescriptor owner_fd_;
  std::optional<Device> device_;
  std::shared_ptr<DeviceCursor> device_cursor_;  ///< likewise
  std::uint64_t capabilities_ = 0;
  std::string doorbell_refusal_;
  GoneReason noted_gone_ = GoneReason::kNot;
};

/// A link and its consumer. `Layout` is DefaultSlot for speed, AnySlotLayout for tools.
template <class Layout>
struct BasicPollSource {
  RingLink link;
  BasicGatedConsumer<Layout> consumer;

  /// @throws what RingLink::open() and the consumer's constructor throw.
  static BasicPollSource open(const std::string& name, const LinkOptions& options = {}) {
    return from(RingLink::open(name, options));
  }
  static Result<BasicPollSource> try_open(const std::string& name,
                                          const LinkOptions& options = {}) {
    return try_to([&] { return open(name, options); });
  }
  static BasicPollSource of(LocalRing ring, const LinkOptions& options = {}) {
    return from(RingLink::of(std::move(ring), options));
  }
  static BasicPollSource from(RingLink link) {
    auto consumer = link.make_consumer<Layout>();
    return {std::move(link), std::move(consumer)};
  }
};

using PollSource = BasicPollSource<DefaultSlot>;
using AnyPollSource = BasicPollSource<AnySlotLayout>;

/// @throws std::invalid_argument: `link` was not made with LinkOptions::in_group, or is not one
///         to the ring of `of_group`.
void check_group_link(const RingLink& link, const Mapping& of_group);

/// A link and a member of a group on its ring: the events are shared with the other
/// members, in this poller, in others, in other processes. See Group.
template <class Layout>
struct BasicGroupSource {
  RingLink link;
  std::unique_ptr<GroupMember<Layout>> member;

  /// Joins `group`, whose ring it opens by name.
  /// @throws what RingLink::open(), from() and the member's constructor throw.
  static BasicGroupSource open(const std::string& name, Group group, LinkOptions options = {}) {
    options.in_group = true;
    return from(RingLink::open(name, options), std::move(group));
  }
  static BasicGroupSource of(LocalRing ring, Group group, LinkOptions options = {}) {
    options.in_group = true;
    return from(RingLink::of(std::move(ring), options), std::move(group));
  }
  /// @param link  made with LinkOptions::in_group.
  /// @throws what check_group_link() throws: another link would take a seat that nobody
  ///         moves, or have the member sleep on another ring.
  static BasicGroupSource from(RingLink link, Group group) {
    check_group_link(link, group.mapping());
    auto member = std::make_unique<GroupMember<Layout>>(std::move(group));
    return {std::move(link), std::move(member)};
  }
};

using GroupSource = BasicGroupSource<DefaultSlot>;

}  // namespace evring
