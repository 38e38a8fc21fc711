// SPDX-License-Identifier: MIT
// The owner's side of a named local ring: one thread that hands out descriptors and
// hears of the death of those it gave them to. Off every hot path.
#pragma once

#include <evring/local_ring.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "local_memory.hpp"
#include "local_socket.hpp"
#include "registration_table.hpp"

namespace evring {

class LocalServer {
 public:
  /// Binds the socket and starts the thread.
  /// @throws std::system_error: EADDRINUSE a living owner has the name; others name
  ///         the path.
  explicit LocalServer(std::shared_ptr<LocalMemory> memory);
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;
  /// Ends the thread, hangs up on everyone, removes the socket. In a fork: nothing.
  ~LocalServer();

 private:
  struct Client {
    FileDescriptor socket;
    bool has_asked = false;
    std::optional<Seat> seat;  ///< of a registered consumer
  };

  void bind_socket();
  void start_thread();
  void serve() noexcept;
  void accept_client() noexcept;
  void hear(int client) noexcept;
  void answer(int client, const AttachRequest& request) noexcept;
  void fill_reply(const AttachRequest& request, Client& client, AttachReply& reply);
  void leave(Client& client) noexcept;
  void hang_up(int client) noexcept;

  std::shared_ptr<LocalMemory> memory_;
  std::filesystem::path path_;
  ProcessMark owner_;
  FileDescriptor listener_;
  FileDescriptor stop_;
  FileDescriptor poll_;
  std::map<int, Client> clients_;
  std::unique_ptr<std::thread> thread_;
};

}  // namespace evring
