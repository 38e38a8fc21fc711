// SPDX-License-Identifier: MIT
// See local_service.hpp. Every word of a message is the other side's, and checked.
#include "local_service.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "start_at.hpp"
#include "system.hpp"

namespace evring {

NamedGroup::NamedGroup(LocalMemory& memory, const Mapping& mapping, StartAt start_at,
                       std::uint64_t sequence)
    : memory_(memory) {
  if (mapping.geometry().mode != Mode::kGated) {
    group_ = Group::create(mapping, start_at, sequence);
    return;
  }
  seat_ = take_seat(memory.side, memory.options.registered_count_max, start_at, sequence,
                    memory.options.name);
  try {
    group_ = Group::create(mapping, StartAt::kSequence, seat_->sequence,
                           memory.side.pages[seat_->index]);
  } catch (...) {
    leave_seat(memory.side, *seat_);
    throw;
  }
}

NamedGroup::~NamedGroup() {
  if (seat_) leave_seat(memory_.side, *seat_);
}

void say(Reply& reply, int error, const std::string& text) noexcept {
  reply.error = error;
  const std::size_t bytes = std::min(text.size(), reply.text.size() - 1);
  std::memcpy(reply.text.data(), text.data(), bytes);
}

LocalService::LocalService(std::shared_ptr<LocalMemory> memory, const Mapping& mapping)
    : memory_(std::move(memory)), mapping_(mapping) {}

void LocalService::refuse(int error, const std::string& why) const {
  throw_errno(options().name + ": " + why, error);
}

/// What `fill` makes of an empty response, or why it could not.
template <class Fill>
Response LocalService::respond(Fill&& fill) const noexcept {
  Response response;
  try {
    fill(response);
    return response;
  } catch (const std::system_error& error) {
    response = {};
    say(response.reply, error.code().value(), error.what());
  } catch (const std::out_of_range& error) {
    response = {};
    say(response.reply, ERANGE, error.what());
  } catch (...) {
    response = {};
    say(response.reply, ENOMEM, "its owner is out of memory");
  }
  return response;
}

Response LocalService::attach(Session& session, std::span<const std::byte> message) noexcept {
  return respond([&](Response& response) { give(session, message, response); });
}

void LocalService::give(Session& session, std::span<const std::byte> message, Response& response) {
  GroupRequest request;
  std::memcpy(&request, message.data(), std::min(message.size(), sizeof(request)));
  const AttachRequest& asked = request.attach;
  constexpr std::uint32_t kOneOf[] = {0, kWantsRegistration, kWantsToPublish, kWantsGroup};
  if (asked.magic != kSocketMagic || asked.version != kSocketVersion || asked.reserved != 0 ||
      std::ranges::find(kOneOf, asked.flags) == std::end(kOneOf) ||
      asked.start_at > EVRING_START_SEQUENCE || message.size() != request_bytes(asked.flags)) {
    refuse(EPROTO, "the request is not one of socket protocol " + std::to_string(kSocketVersion));
  }
  response.add(memory_->read_only_file.get());
  if (asked.flags == kWantsRegistration) give_seat(session, asked, response);
  if (asked.flags == kWantsToPublish) let_publish(session);
  if (asked.flags == kWantsGroup) give_group(session, request, response);
}

void LocalService::give_seat(Session& session, const AttachRequest& request, Response& response) {
  session.seat = take_seat(memory_->side, options().registered_count_max,
                           start_of(request.start_at), request.sequence, options().name);
  response.reply.index = session.seat->index;
  response.reply.sequence = session.seat->sequence;
  const ConsumerSeat& seat = memory_->seats[session.seat->index];
  response.add(seat.page_file.get());
  response.add(memory_->doorbell_file.get());
  response.add(seat.doorbell.get());
  response.add(seat.timer.get());
}

void LocalService::let_publish(Session& session) {
  if (session.uid != ::geteuid() && session.uid != 0) {
    refuse(EACCES, "only its owner's user and root may publish into it");
  }
  const std::lock_guard<std::mutex> held(handler_mutex_);
  if (!handler_) refuse(EOPNOTSUPP, "its owner takes no events from others");
  session.may_publish = true;
}

void LocalService::give_group(Session& session, const GroupRequest& request, Response& response) {
  const auto end = std::ranges::find(request.group, '\0');
  const std::string name(request.group.begin(), end);
  if (end == request.group.end() || !is_ring_name(name)) {
    refuse(EINVAL, std::string("a group's name is ") + kRingNameRule);
  }
  std::erase_if(groups_, [](const auto& entry) { return entry.second.expired(); });
  session.group = groups_[name].lock();
  if (session.group == nullptr) {
    session.group = std::make_shared<NamedGroup>(
        *memory_, mapping_, start_of(request.attach.start_at), request.attach.sequence);
    groups_[name] = session.group;
  }
  response.reply.sequence = session.group->group().start();
  response.add(session.group->group().fd());
  const std::optional<Seat>& seat = session.group->seat();
  if (seat) response.add(memory_->seats[seat->index].page_file.get());
}

Response LocalService::publish(const Session& session,
                               std::span<const std::byte> message) noexcept {
  return respond([&](Response& response) {
    PublishRequest head;
    if (!session.may_publish || message.size() < sizeof(head)) refuse(EPROTO, "no batch of events");
    std::memcpy(&head, message.data(), sizeof(head));
    const auto events = message.subspan(sizeof(head));
    check_batch(head, events);
    const std::lock_guard<std::mutex> held(handler_mutex_);
    if (!handler_) refuse(EOPNOTSUPP, "its owner takes no events from others any more");
    const auto done = handler_(events.data(), head.event_count, head.event_bytes);
    if (!done) refuse(EBUSY, "its producer is busy");
    response.reply.index = done->published_count;
    response.reply.sequence = done->first_sequence;
  });
}

void LocalService::check_batch(const PublishRequest& head,
                               std::span<const std::byte> events) const {
  const std::uint32_t payload_bytes = mapping_.geometry().slot.payload_bytes();
  if (head.event_count < 1 || head.event_count > EVRING_BATCH_COUNT_MAX) {
    refuse(EINVAL, "event_count is " + std::to_string(head.event_count));
  }
  if (head.event_bytes < 8 || head.event_bytes % 8 != 0 || head.event_bytes > 8 + payload_bytes) {
    refuse(EINVAL, "event_bytes is " + std::to_string(head.event_bytes) +
                       ", expected a multiple of 8 from 8 to " + std::to_string(8 + payload_bytes));
  }
  if (events.size() != std::size_t{head.event_count} * head.event_bytes) {
    refuse(EINVAL, "the batch is cut");
  }
  for (std::size_t at = 0; at < events.size(); at += head.event_bytes) {
    std::uint32_t length_bytes = 0;
    std::memcpy(&length_bytes, events.data() + at + 4, sizeof(length_bytes));
    if (length_bytes > head.event_bytes - 8) {
      refuse(EINVAL, "length_bytes is " + std::to_string(length_bytes) + ", expected at most " +
                         std::to_string(head.event_bytes - 8));
    }
  }
}

void LocalService::leave(Session& session) noexcept {
  if (session.seat) leave_seat(memory_->side, *session.seat);
  session.seat.reset();
  session.group.reset();
}

void LocalService::set_inject_handler(InjectHandler handler) {
  const std::lock_guard<std::mutex> held(handler_mutex_);
  std::swap(handler_, handler);  // the old one ends with the call, after the lock
}

}  // namespace evring
