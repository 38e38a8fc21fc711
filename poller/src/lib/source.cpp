// SPDX-License-Identifier: MIT
#include <evring/memory.hpp>
#include <evring/poller/source.hpp>
#include <evring/status.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace evring {
namespace {

constexpr std::string_view kLocalPrefix = "local:";

}  // namespace

const char* to_string(GoneReason reason) noexcept {
  switch (reason) {
    case GoneReason::kRemoved:
      return "the device was removed";
    case GoneReason::kClosed:
      return "its owner closed it";
    case GoneReason::kOwnerDied:
      return "its owner died";
    case GoneReason::kLeft:
      return "the poller left it";
    case GoneReason::kNot:
      break;
  }
  return "alive";
}

RingLink RingLink::open(const std::string& name, const LinkOptions& options) {
  if (name.starts_with(kLocalPrefix)) {
    return open_local(name.substr(kLocalPrefix.size()), options);
  }
  return open_device(name, options);
}

RingLink RingLink::of(LocalRing ring, const LinkOptions& options) {
  RingLink link;
  link.name_ = std::string(kLocalPrefix) + ring.name();
  link.options_ = options;
  link.mapping_ = ring.mapping();
  if (link.takes_doorbell() || link.takes_gate()) {
    try {
      link.registration_ = std::make_shared<Registration>(
          ring.register_consumer(options.start_at, options.sequence));
    } catch (const std::system_error& error) {
      if (link.takes_gate()) throw;
      link.doorbell_refusal_ = error.what();
    }
  } else {
    link.doorbell_refusal_ = link.no_doorbell();
  }
  link.ring_ = std::move(ring);
  return link;
}

RingLink RingLink::open_local(const std::string& name, const LinkOptions& options) {
  RingLink link;
  link.name_ = std::string(kLocalPrefix) + name;
  link.options_ = options;
  Attachment attachment = attach_local(name);  // a look: is it gated?
  link.mapping_ = attachment.mapping;
  if (!link.takes_doorbell()) link.doorbell_refusal_ = link.no_doorbell();
  if (link.takes_doorbell() || link.takes_gate()) {
    try {
      attachment = attach_local(name, options.start_at, options.sequence);
    } catch (const std::system_error& error) {
      if (link.takes_gate() || error.code().value() != ENOSPC) throw;
      link.doorbell_refusal_ = error.what();
    }
  }
  link.mapping_ = std::move(attachment.mapping);
  if (attachment.registration) {
    link.registration_ = std::make_shared<Registration>(std::move(*attachment.registration));
  }
  link.owner_fd_ = std::move(attachment.owner_fd);
  return link;
}

RingLink RingLink::open_device(const std::string& name, const LinkOptions& options) {
  Device device = Device::open(name);
  const evring_device_info info = device.info();
  if (info.mode == EVRING_MODE_GATED) device = Device::open(name, Device::Access::kReadWrite);
  RingLink link;
  link.name_ = device.name();
  link.options_ = options;
  link.capabilities_ = info.capabilities;
  link.mapping_ = device.map();
  if (link.takes_gate()) {
    link.device_cursor_ =
        std::make_shared<DeviceCursor>(device.register_cursor(options.start_at, options.sequence));
  }
  if (!options.doorbell) link.doorbell_refusal_ = "no doorbell was asked for";
  link.device_ = std::move(device);
  return link;
}

const char* RingLink::no_doorbell() const noexcept {
  return options_.doorbell ? "a member of a group has no seat in a gated ring"
                           : "no doorbell was asked for";
}

void check_group_link(const RingLink& link, const Mapping& of_group) {
  if (!link.options().in_group) {
    throw std::invalid_argument(link.name() +
                                ": a member's link is made with LinkOptions::in_group");
  }
  // Up to the head all of a header is constant.
  if (std::memcmp(link.mapping().header(), of_group.header(), offsetof(evring_header, head)) != 0) {
    throw std::invalid_argument(link.name() + ": not the ring of that group, " + of_group.name());
  }
}

int RingLink::owner_fd() const noexcept { return owner_fd_.get(); }

bool RingLink::is_empty_from(std::uint64_t cursor) const noexcept {
  return load_relaxed(reinterpret_cast<const std::uint64_t*>(&mapping_->header()->head)) == cursor;
}

GoneReason RingLink::gone() const noexcept {
  switch (evring::gone(*mapping_->header())) {
    case EVRING_GONE_NOT:
      return noted_gone_;
    case EVRING_GONE_REMOVED:
      return GoneReason::kRemoved;
    default:
      return GoneReason::kClosed;
  }
}

}  // namespace evring
