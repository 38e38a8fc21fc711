// SPDX-License-Identifier: MIT
// See local_injector.hpp; the owner's side is LocalService.
#include "evring/local_injector.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "local_socket.hpp"
#include "system.hpp"

namespace evring {
namespace {

constexpr std::chrono::seconds kPatience{2};

OwnerLink ask_to_publish(const std::string& name) {
  GroupRequest request;
  request.attach.flags = kWantsToPublish;
  return ask_owner(name, request);
}

}  // namespace

LocalInjector::LocalInjector(const std::string& name) : LocalInjector(name, ask_to_publish(name)) {}

LocalInjector::LocalInjector(const std::string& name, OwnerLink&& link) noexcept
    : name_(name), socket_(std::move(link.socket)), mapping_(std::move(link.mapping)) {}

LocalInjected LocalInjector::inject(const void* events, std::uint32_t event_count,
                                    std::uint32_t event_bytes) {
  if (event_bytes < 8 || event_bytes > kPublishBytesMax) {
    throw_errno(name_ + ": event_bytes is " + std::to_string(event_bytes), EINVAL);
  }
  const auto* next = static_cast<const std::byte*>(events);
  const std::uint32_t batch_max = std::min<std::uint32_t>(
      static_cast<std::uint32_t>(kPublishBytesMax) / event_bytes, EVRING_BATCH_COUNT_MAX);
  LocalInjected sum;
  while (event_count != 0) {
    const std::uint32_t count = std::min(event_count, batch_max);
    const LocalInjected done = inject_batch(next, count, event_bytes);
    if (sum.published_count == 0) sum.first_sequence = done.first_sequence;
    sum.published_count += done.published_count;
    next += std::size_t{count} * event_bytes;
    event_count -= count;
  }
  return sum;
}

LocalInjected LocalInjector::inject_batch(const std::byte* events, std::uint32_t event_count,
                                          std::uint32_t event_bytes) {
  const PublishRequest head{event_count, event_bytes};
  const std::size_t bytes = std::size_t{event_count} * event_bytes;
  std::vector<std::byte> message(sizeof(head) + bytes);
  std::memcpy(message.data(), &head, sizeof(head));
  std::memcpy(message.data() + sizeof(head), events, bytes);
  if (!socket_) throw_errno(name_ + ": its owner has not answered a batch before", ECONNREFUSED);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    try {
      const Reply reply = ask(socket_.get(), message.data(), message.size(), name_).reply;
      return {reply.index, reply.sequence};
    } catch (const Refused& refusal) {
      if (refusal.code().value() != EBUSY) throw;
    } catch (...) {
      socket_ = FileDescriptor();  // its reply, if it comes yet, answers no other batch
      throw;
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw_errno(name_ + ": its owner's producer is busy", ETIMEDOUT);
    }
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace evring
