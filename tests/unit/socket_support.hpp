// SPDX-License-Identifier: MIT
// What the tests of named rings share: a runtime folder, what attaching ends with, a bare
// connection, and a way for one process to let another go on.
#pragma once

#include <evring/local_ring.hpp>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <system_error>

#include "../eventually.hpp"
#include "../fresh_runtime_dir.hpp"
#include "support.hpp"

namespace evring::testing {

class LocalSocketTest : public ::testing::Test {
 protected:
  FreshRuntimeDir runtime_dir;
};

/// Of the socket of the ring of that name.
inline sockaddr_un address_of(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = local_socket_path(name).string();
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

inline int error_of(const std::string& name, std::optional<StartAt> register_at = std::nullopt) {
  try {
    attach_local(name, register_at);
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    return error.code().value();
  }
  return 0;
}

/// error_of(), once it is another than `now`: an owner hears by and by of what clients do.
inline int next_error_of(const std::string& name, std::optional<StartAt> register_at, int now) {
  int error = now;
  eventually([&] { return (error = error_of(name, register_at)) != now; });
  return error;
}

/// A connection that has said nothing yet, and hangs nobody.
inline FileDescriptor connected_to(const std::string& name) {
  const sockaddr_un address = address_of(name);
  FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const timeval patience{5, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            0);
  return socket;
}

/// Stops a child, every thread of it.
inline void stop(pid_t child) {
  ::kill(child, SIGSTOP);
  EXPECT_EQ(::waitpid(child, nullptr, WUNTRACED), child);
}

/// A pipe on which one process lets another go on.
class Gate {
 public:
  Gate() { EXPECT_EQ(::pipe(ends_), 0); }
  void open() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  void pass() const {
    char letter = 0;
    while (::read(ends_[0], &letter, 1) != 1) {
    }
  }

 private:
  int ends_[2];
};

}  // namespace evring::testing
