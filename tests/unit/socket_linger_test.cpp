// SPDX-License-Identifier: MIT
// What a client sends along with its words: a descriptor whose last close waits.
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "send_descriptors.hpp"
#include "socket_support.hpp"

namespace evring {
namespace {

using testing::connected_to;
using testing::error_of;
using testing::Gate;
using testing::LocalSocketTest;

/// A TCP socket whose last close waits for an hour: its peer reads nothing.
class Lingering {
 public:
  Lingering() {
    const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(address);
    auto* where = reinterpret_cast<sockaddr*>(&address);
    ::bind(listener.get(), where, bytes);
    ::getsockname(listener.get(), where, &bytes);
    ::listen(listener.get(), 1);
    if (::connect(socket.get(), where, bytes) != 0) return;
    peer_ = FileDescriptor(::accept(listener.get(), nullptr, nullptr));
    const std::array<char, 4096> page{};
    while (::send(socket.get(), page.data(), page.size(), MSG_DONTWAIT) > 0) {
    }
    const linger long_one{1, 3600};
    is_there = ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &long_one, sizeof(long_one)) == 0;
  }

  FileDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  bool is_there = false;

 private:
  FileDescriptor peer_;
};

/// @return whether it went, with the descriptor.
bool send_along(int client, int fd) {
  char letter = 0;
  return testing::send_descriptors(client, &letter, 1, {&fd, 1}) == 1;
}

TEST_F(LocalSocketTest, ADescriptorThatLingersHoldsUpNoForkOfTheOwner) {
  Lingering lingering;
  if (!lingering.is_there) GTEST_SKIP() << "takes the loopback device";
  const Gate served;
  const Gate forks;
  const pid_t owner = testing::start_child([&] {
    lingering.socket = FileDescriptor();
    const LocalRing ring = LocalRing::named({.name = "forking"});
    served.open();
    forks.pass();
    ::alarm(10);
    testing::run_child([] { return true; });
    ::_exit(0);  // the end of a ring may wait, by an older kernel
    return true;
  });
  served.pass();
  const FileDescriptor client = connected_to("forking");
  testing::stop(owner);  // its copy is the last one, then
  ASSERT_EQ(::send(client.get(), "x", 1, 0), 1) << "what ends the connection";
  const bool is_taken = send_along(client.get(), lingering.socket.get());
  if (is_taken) lingering.socket = FileDescriptor();
  ::kill(owner, SIGCONT);
  char letter = 0;
  EXPECT_LE(::recv(client.get(), &letter, 1, 0), 0) << "hung up on";
  if (!is_taken) {
    EXPECT_EQ(error_of("forking"), 0) << "and nobody else waits either";
  }
  forks.open();
  EXPECT_EQ(testing::wait_for(owner), 0) << "14: waits in fork()";
  const linger none{1, 0};
  ::setsockopt(lingering.socket.get(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

TEST_F(LocalSocketTest, ADescriptorFromAClientIsRefused) {
  constexpr int kPassRights = 83;  // SO_PASSRIGHTS
  const int no = 0;
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (::setsockopt(probe.get(), SOL_SOCKET, kPassRights, &no, sizeof(no)) != 0) {
    GTEST_SKIP() << "takes Linux 6.16";
  }
  const LocalRing ring = LocalRing::named({.name = "strict"});
  const FileDescriptor client = connected_to("strict");
  EXPECT_FALSE(send_along(client.get(), probe.get()));
  EXPECT_EQ(errno, EPERM);
}

}  // namespace
}  // namespace evring
