// SPDX-License-Identifier: MIT
// What the owner of a named local ring answers to one connection: the memory, a seat,
// leave to publish, a group. Knows of no socket's life; nothing here waits for anybody.
#pragma once

#include <evring/group.hpp>
#include <evring/local_ring.hpp>
#include <evring/mapping.hpp>

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "local_memory.hpp"
#include "local_socket.hpp"
#include "registration_table.hpp"

namespace evring {

/// A group that was made for a connection; it ends with the last one that has it.
class NamedGroup {
 public:
  /// In a gated ring the group takes a seat, which its members move on together.
  NamedGroup(LocalMemory& memory, const Mapping& mapping, StartAt start_at, std::uint64_t sequence);
  NamedGroup(const NamedGroup&) = delete;
  NamedGroup& operator=(const NamedGroup&) = delete;
  ~NamedGroup();

  const Group& group() const noexcept { return *group_; }
  const std::optional<Seat>& seat() const noexcept { return seat_; }

 private:
  LocalMemory& memory_;
  std::optional<Seat> seat_;
  std::optional<Group> group_;
};

/// What a connection was given; taken back by LocalService::leave().
struct Session {
  uid_t uid = 0;
  bool may_publish = false;
  std::optional<Seat> seat;
  std::shared_ptr<NamedGroup> group;
};

/// A reply, and the descriptors that ride along. They stay the service's.
struct Response {
  Reply reply;
  std::array<int, kDescriptorCountMax> descriptors{};

  void add(int fd) noexcept { descriptors[reply.descriptor_count++] = fd; }
};

class LocalService {
 public:
  LocalService(std::shared_ptr<LocalMemory> memory, const Mapping& mapping);

  /// To the first message of a connection.
  Response attach(Session& session, std::span<const std::byte> message) noexcept;
  /// To every later one.
  Response publish(const Session& session, std::span<const std::byte> message) noexcept;
  void leave(Session& session) noexcept;

  /// Any thread.
  void set_inject_handler(InjectHandler handler);

  const LocalRingOptions& options() const noexcept { return memory_->options; }

 private:
  void give(Session& session, std::span<const std::byte> message, Response& response);
  void give_seat(Session& session, const AttachRequest& request, Response& response);
  void let_publish(Session& session);
  void give_group(Session& session, const GroupRequest& request, Response& response);
  void check_batch(const PublishRequest& head, std::span<const std::byte> events) const;
  [[noreturn]] void refuse(int error, const std::string& why) const;
  template <class Fill>
  Response respond(Fill&& fill) const noexcept;

  std::shared_ptr<LocalMemory> memory_;
  Mapping mapping_;
  std::map<std::string, std::weak_ptr<NamedGroup>> groups_;
  std::mutex handler_mutex_;
  InjectHandler handler_;
};

/// Puts an error in a reply, as far as its text fits.
void say(Reply& reply, int error, const std::string& text) noexcept;

}  // namespace evring
