// SPDX-License-Identifier: MIT
// Named local rings under attack: clients that hang, flood or lie to the owner, owners
// that hand out what they should not, names that lead elsewhere.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "send_descriptors.hpp"
#include "socket_support.hpp"

namespace evring {
namespace {

using testing::connected_to;
using testing::error_of;
using testing::Gate;
using testing::LocalSocketTest;
using testing::publish_numbered;

/// A process of its own that serves rings with few descriptors, until it is told to end.
class PoorOwner {
 public:
  explicit PoorOwner(rlim_t descriptor_count) {
    const Gate served;
    pid_ = testing::start_child([&] {
      const rlimit few{descriptor_count, descriptor_count};
      ::setrlimit(RLIMIT_NOFILE, &few);
      const LocalRing ring = LocalRing::named({.name = "poor"});
      served.open();
      ::pause();
      return true;
    });
    served.pass();
  }
  PoorOwner(const PoorOwner&) = delete;
  PoorOwner& operator=(const PoorOwner&) = delete;
  ~PoorOwner() {
    ::kill(pid_, SIGKILL);
    testing::wait_for(pid_);
  }

 private:
  pid_t pid_;
};

TEST_F(LocalSocketTest, AFloodOfSilentConnectionsLeavesRoomForOthers) {
  const PoorOwner owner(100);
  std::vector<FileDescriptor> silent;
  for (int i = 0; i < 150; ++i) silent.push_back(connected_to("poor"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error_of("poor", StartAt::kNewest), 0);
  char letter = 0;
  EXPECT_EQ(::recv(silent.back().get(), &letter, 1, 0), 0) << "nobody may be silent for ever";
}

TEST_F(LocalSocketTest, OneUserCannotTakeEveryConnection) {
  const LocalRing ring = LocalRing::named({.name = "wanted"});
  std::vector<Attachment> taken;
  int error = 0;
  for (int i = 0; i < 300 && error == 0; ++i) {
    try {
      taken.push_back(attach_local("wanted"));
    } catch (const std::system_error& refusal) {
      error = refusal.code().value();
    }
  }
  EXPECT_EQ(error, EMFILE);
  EXPECT_EQ(taken.size(), 128u);
  taken.pop_back();
  EXPECT_EQ(testing::next_error_of("wanted", std::nullopt, EMFILE), 0);
}

TEST_F(LocalSocketTest, AClientThatClearsNonblockHangsNobody) {
  LocalRing ring = LocalRing::named({.name = "clearing", .registered_count_max = 1});
  Producer producer(ring);
  {
    const Attachment hostile = attach_local("clearing", StartAt::kNewest);
    for (const int fd : {hostile.registration->doorbell_fd(), hostile.registration->timer_fd()}) {
      ASSERT_EQ(::fcntl(fd, F_SETFL, 0), 0);
    }
  }
  EXPECT_EQ(testing::next_error_of("clearing", StartAt::kNewest, ENOSPC), 0)
      << "the owner waits on a descriptor of the client before";
}

TEST_F(LocalSocketTest, AClientThatFillsItsDoorbellStopsNoProducer) {
  LocalRing ring = LocalRing::named({.name = "filling"});
  Producer producer(ring);
  Attachment hostile = attach_local("filling", StartAt::kNewest);
  const std::string path = "/proc/self/fd/" + std::to_string(hostile.registration->doorbell_fd());
  const FileDescriptor filler(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  const std::array<char, 4096> page{};
  while (::write(filler.get(), page.data(), page.size()) > 0) {
  }
  ::fcntl(filler.get(), F_SETFL, 0);
  for (std::uint64_t i = 0; i < 5; ++i) {
    hostile.registration->page()->arm_cursor = i;
    ASSERT_TRUE(hostile.registration->arm({}, i));
    while (::write(filler.get(), page.data(), 0) > 0) {
    }
    publish_numbered(producer, 1);
  }
  EXPECT_EQ(producer.next_sequence(), 5u);
}

/// Answers the first that asks as an owner would, but hands out `descriptors` and a
/// registration that starts at `sequence`.
void serve_once(int listener, const std::vector<int>& descriptors, std::uint64_t sequence) {
  const FileDescriptor client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 64> request{};
  ::recv(client.get(), request.data(), request.size(), 0);
  std::array<std::uint64_t, 24> reply{0x006b636f73727665ULL, 1,
                                      std::uint64_t{descriptors.size()} << 32, sequence};
  testing::send_descriptors(client.get(), reply.data(), sizeof(reply), descriptors);
  char end = 0;
  ::recv(client.get(), &end, 1, 0);
}

FileDescriptor listen_as(const std::string& name) {
  std::filesystem::create_directories(local_socket_path(name).parent_path());
  const sockaddr_un address = testing::address_of(name);
  FileDescriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << address.sun_path;
  EXPECT_EQ(::listen(listener.get(), 8), 0);
  return listener;
}

TEST_F(LocalSocketTest, AnOwnerThatHandsOutOtherFilesOrStartsIsRefused) {
  LocalRing model = LocalRing::anonymous();
  const FileDescriptor page(::memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(page.get(), 4096), 0);
  ASSERT_EQ(::fcntl(page.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor pipe_end(ends[0]);
  const FileDescriptor other_end(ends[1]);
  const FileDescriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  const FileDescriptor event(::eventfd(0, EFD_CLOEXEC));
  const int ring = model.read_only_fd();
  const FileDescriptor listener = listen_as("odd");
  const auto error_with = [&](const std::vector<int>& descriptors, std::uint64_t sequence = 0) {
    std::thread owner([&] { serve_once(listener.get(), descriptors, sequence); });
    const int error = error_of("odd", StartAt::kNewest);
    owner.join();
    return error;
  };
  const int good_page = page.get();
  const FileDescriptor unsealed(::memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(unsealed.get(), 4096), 0);
  EXPECT_EQ(error_with({ring, good_page, good_page, pipe_end.get(), timer.get()}), 0)
      << "blocking ones, which hang nobody";
  EXPECT_EQ(error_with({ring, good_page, good_page, event.get(), timer.get()}), EPROTO);
  EXPECT_EQ(error_with({ring, good_page, good_page, pipe_end.get(), pipe_end.get()}), EPROTO);
  EXPECT_EQ(error_with({ring, pipe_end.get(), good_page, pipe_end.get(), timer.get()}), EPROTO);
  EXPECT_EQ(error_with({ring, unsealed.get(), good_page, pipe_end.get(), timer.get()}), EPROTO)
      << "its owner could cut it under a reader";
  EXPECT_EQ(error_with({ring, good_page, unsealed.get(), pipe_end.get(), timer.get()}), EPROTO);
  EXPECT_EQ(error_with({pipe_end.get(), good_page, good_page, pipe_end.get(), timer.get()}),
            EPROTO);
  for (const std::uint64_t past_head : {1ULL, ~0ULL}) {
    EXPECT_EQ(error_with({ring, good_page, good_page, pipe_end.get(), timer.get()}, past_head),
              EPROTO);
  }
}

TEST_F(LocalSocketTest, AnOwnerWhoIsSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
  const FileDescriptor keep = listen_as("model");  // makes the folder
  const auto dir = local_socket_path("foreign").parent_path();
  ASSERT_EQ(::chmod(dir.c_str(), 0777), 0);
  ASSERT_EQ(::chmod(dir.parent_path().c_str(), 0755), 0);
  const Gate served;
  const Gate finish;
  const pid_t owner = testing::start_child([&] {
    if (::setuid(65534) != 0) return false;
    const FileDescriptor listener = listen_as("foreign");
    served.open();
    finish.pass();
    return true;
  });
  served.pass();
  ASSERT_EQ(::chmod(dir.c_str(), 0755), 0);
  EXPECT_EQ(error_of("foreign"), EPERM);
  finish.open();
  EXPECT_EQ(testing::wait_for(owner), 0);
}

TEST_F(LocalSocketTest, ANameThatLeavesTheFolderIsRefused) {
  for (const char* name : {"../x", "a/b", "", ".hidden", "a name", "x\ny"}) {
    EXPECT_THROW(attach_local(name), std::system_error) << name;
    EXPECT_THROW(local_socket_path(name), std::system_error) << name;
    EXPECT_FALSE(is_ring_name(name));
  }
  EXPECT_EQ(error_of("../x"), EINVAL);
}

TEST_F(LocalSocketTest, TheUmaskTakesNothingFromTheAskedMode) {
  const mode_t before = ::umask(077);
  const LocalRing open = LocalRing::named({.name = "for-all", .socket_mode = 0666});
  ::umask(before);
  struct stat info {};
  ASSERT_EQ(::stat(local_socket_path("for-all").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0666u);
}

}  // namespace
}  // namespace evring
