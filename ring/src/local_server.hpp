// SPDX-License-Identifier: MIT
// The owner's side of a named local ring: one thread that listens, bounds what others
// can take of this process, and hears of their end. What it answers is LocalService's.
// Off every hot path; never waits for a client.
#pragma once

#include <evring/descriptor.hpp>

#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "local_service.hpp"

namespace evring {

class LocalServer {
 public:
  /// Nobody can find the ring yet.
  LocalServer(std::shared_ptr<LocalMemory> memory, const Mapping& mapping);
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;
  /// Ends the thread, hangs up on everyone, removes the socket. Not in a fork.
  ~LocalServer();

  /// Binds the socket and starts the thread; once.
  /// @throws std::system_error: EADDRINUSE a living owner has the name; others name
  ///         the path.
  void open();

  LocalService& service() noexcept { return service_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    FileDescriptor socket;
    Session session;
    bool has_asked = false;
    bool is_one_too_many = false;  ///< and is told so when it asks
  };
  /// A connection that has said nothing yet, oldest first.
  struct Silent {
    int fd;
    Clock::time_point deadline;
  };

  void bind_socket();
  void start_thread();
  void serve() noexcept;
  int patience_ms() const noexcept;
  void hang_up_on_the_silent() noexcept;
  FileDescriptor take_client() noexcept;
  void accept_client() noexcept;
  bool has_room_for(uid_t uid) const noexcept;
  void hear(int fd) noexcept;
  bool answer(Client& client, bool is_first, std::span<const std::byte> message) noexcept;
  void hang_up(int fd) noexcept;

  LocalService service_;
  std::filesystem::path path_;
  FileDescriptor listener_;
  FileDescriptor stop_;
  FileDescriptor poll_;
  std::map<int, Client> clients_;
  std::deque<Silent> silent_;
  std::vector<std::byte> message_;
  std::unique_ptr<std::thread> thread_;
};

}  // namespace evring
