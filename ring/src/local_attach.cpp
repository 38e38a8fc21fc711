// SPDX-License-Identifier: MIT
// The consumer's side of a named local ring: it trusts nothing that its owner hands out.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "evring/local_ring.hpp"
#include "fork_private.hpp"
#include "local_socket.hpp"
#include "registration.hpp"
#include "shared_pages.hpp"
#include "start_at.hpp"
#include "system.hpp"

namespace evring {
namespace {

/// What the kernel calls the file of a descriptor: no owner can make it lie, and asking
/// does not touch the file, whose file system may be the owner's own.
void require_kind(int fd, std::string_view kind, const std::string& what) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  std::array<char, 64> found{};
  const ssize_t bytes = ::readlink(path.c_str(), found.data(), found.size());
  if (bytes < 0) throw_errno(what + ": " + path);
  const std::string_view name(found.data(), static_cast<std::size_t>(bytes));
  if (!name.starts_with(kind)) {
    throw_errno(what + " is " + std::string(name) + ", expected " + std::string(kind), EPROTO);
  }
}

Registration make_registration(OwnerLink& link, const std::string& name) {
  Answer& answer = link.answer;
  if (answer.reply.descriptor_count != kDescriptorCountMax ||
      answer.reply.index >= EVRING_CONSUMER_COUNT_MAX) {
    throw_errno(name + ": the registration it answered with is not whole", EPROTO);
  }
  const evring_header& header = *link.mapping.header();
  const std::uint64_t first = link.mapping.geometry().first_sequence;
  // (C3) as for any reader: head only goes on from where the owner saw it. Pairs with (P3).
  const std::uint64_t head = load_acquire(reinterpret_cast<const std::uint64_t*>(&header.head));
  if (answer.reply.sequence - first > head - first) {
    throw_errno(name + ": the registration it answered with starts outside of the ring", EPROTO);
  }
  require_kind(answer.descriptors[3].get(), "pipe:", name + ": doorbell");
  require_kind(answer.descriptors[4].get(), "anon_inode:[timerfd]", name + ": timer");
  auto inside = std::make_unique<Registration::Impl>();
  inside->index = answer.reply.index;
  inside->sequence = answer.reply.sequence;
  inside->slot_count = link.mapping.geometry().slot_count;
  inside->mapping = link.mapping;
  inside->header = link.mapping.header();
  inside->page_pages = map_sealed_page(answer.descriptors[1], name + ": consumer page");
  inside->page = inside->page_pages.as<evring_consumer_page>();
  inside->doorbell_pages = map_sealed_page(answer.descriptors[2], name + ": doorbell page");
  inside->doorbell = inside->doorbell_pages.as<evring_doorbell_page>();
  inside->open_doorbell(answer.descriptors[3].get(), name);
  inside->owned_timer_fd = std::move(answer.descriptors[4]);
  inside->timer_fd = inside->owned_timer_fd.get();
  inside->owner = open_privately([&] { return ::fcntl(link.socket.get(), F_DUPFD_CLOEXEC, 0); });
  if (!inside->owner) throw_errno(name + ": dup of the connection");
  return Registration(std::move(inside));
}

}  // namespace

Attachment attach_local(const std::string& name, std::optional<StartAt> register_at,
                        std::uint64_t sequence) {
  GroupRequest request;
  if (register_at) {
    request.attach.flags = kWantsRegistration;
    request.attach.start_at = to_abi(*register_at);
    request.attach.sequence = sequence;
  }
  OwnerLink link = ask_owner(name, request);
  Attachment attachment{link.mapping, std::nullopt, {}};
  if (register_at) attachment.registration = make_registration(link, name);
  attachment.owner_fd = std::move(link.socket);
  return attachment;
}

}  // namespace evring
