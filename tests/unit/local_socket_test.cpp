// SPDX-License-Identifier: MIT
// Named local rings: other processes attach read-only over the socket, register,
// park, die; owners die; names are replaced.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "socket_support.hpp"

namespace evring {
namespace {

using testing::drain;
using testing::error_of;
using testing::Gate;
using testing::is_readable;
using testing::LocalSocketTest;
using testing::publish_numbered;

TEST_F(LocalSocketTest, AnotherProcessReadsEveryEvent) {
  const Gate attached;
  const pid_t reader = testing::start_child([&] {
    Gate unused;
    std::optional<Attachment> ring;
    while (!ring) {
      try {
        ring = attach_local("events");
      } catch (const std::system_error&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    Consumer consumer(ring->mapping);
    attached.open();
    while (consumer.cursor() < 1000) {
      if (drain(consumer).torn != 0) return false;
    }
    return consumer.received() == 1000 && consumer.lost() == 0;
  });
  const LocalRing ring = LocalRing::named({.slot_count = 1024, .name = "events"});
  Producer producer(ring);
  attached.pass();
  publish_numbered(producer, 1000);
  EXPECT_EQ(testing::wait_for(reader), 0);
}

TEST_F(LocalSocketTest, HandsOutTheMemoryReadOnly) {
  const LocalRing ring = LocalRing::named({.slot_count = 64, .name = "sealed"});
  EXPECT_EQ(testing::run_child([] {
              const Attachment attachment = attach_local("sealed");
              auto* page = const_cast<evring_header*>(attachment.mapping.header());
              return ::mprotect(page, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES;
            }),
            0);
}

TEST_F(LocalSocketTest, ParksAndWakesInAnotherProcess) {
  LocalRing ring = LocalRing::named({.slot_count = 64, .name = "parking"});
  Producer producer(ring);
  const Gate armed;
  const pid_t reader = testing::start_child([&] {
    Attachment attachment = attach_local("parking", StartAt::kNewest);
    const auto shared = std::make_shared<Registration>(std::move(*attachment.registration));
    Registration& registration = *shared;
    GatedConsumer consumer(attachment.mapping, shared);
    if (!registration.arm({.wake_events = 3, .wake = std::chrono::hours(1)}, consumer.cursor())) {
      return false;
    }
    armed.open();
    if (!is_readable(registration.doorbell_fd(), 10000)) return false;
    registration.disarm();
    drain(consumer);
    return consumer.received() == 3;
  });
  armed.pass();
  publish_numbered(producer, 3);
  EXPECT_EQ(testing::wait_for(reader), 0);
  EXPECT_EQ(producer.doorbells_rung(), 1u);
  EXPECT_EQ(producer.doorbells_suppressed(), 2u);
}

TEST_F(LocalSocketTest, ADeadConsumerOpensTheGate) {
  LocalRing ring = LocalRing::named(
      {.slot_count = 8, .mode = Mode::kGated, .name = "gated", .registered_count_max = 1});
  Producer producer(ring, WhenFull::kWait);
  const Gate registered;
  const pid_t reader = testing::start_child([&] {
    const Attachment attachment = attach_local("gated", StartAt::kOldest);
    registered.open();
    ::pause();
    return false;
  });
  registered.pass();
  EXPECT_EQ(error_of("gated", StartAt::kOldest), ENOSPC);
  publish_numbered(producer, 8);
  std::thread killer([reader] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ::kill(reader, SIGKILL);
  });
  publish_numbered(producer, 50);  // waits for the death
  killer.join();
  testing::wait_for(reader);
  EXPECT_EQ(producer.dropped(), 0u);
  EXPECT_EQ(error_of("gated", StartAt::kOldest), 0) << "its place is free";
}

TEST_F(LocalSocketTest, LeavingKeepsTheWatchOnTheOwner) {
  auto ring =
      std::make_unique<LocalRing>(LocalRing::named({.name = "watched", .registered_count_max = 1}));
  Attachment attachment = attach_local("watched", StartAt::kNewest);
  EXPECT_GE(attachment.registration->owner_fd(), 0);
  attachment.registration.reset();
  pollfd watch{attachment.owner_fd.get(), POLLIN, 0};
  // Its place comes free as soon as the owner has heard.
  EXPECT_EQ(testing::next_error_of("watched", StartAt::kNewest, ENOSPC), 0);
  EXPECT_EQ(::poll(&watch, 1, 0), 0) << "the owner lives";
  ring.reset();
  EXPECT_EQ(::poll(&watch, 1, 5000), 1);
  EXPECT_NE(gone(*attachment.mapping.header()), std::uint64_t{EVRING_GONE_NOT});
}

TEST_F(LocalSocketTest, TellsAParkedConsumerOfTheOwnersDeath) {
  const Gate ready;
  const Gate finish;
  const pid_t owner = testing::start_child([&] {
    const LocalRing ring = LocalRing::named({.name = "doomed"});
    // A fork of the owner keeps nothing of the server alive.
    testing::start_child([&] {
      ready.open();  // by now it has closed what it inherited
      finish.pass();
      return true;
    });
    ::pause();
    return true;
  });
  ready.pass();
  Attachment attachment = attach_local("doomed", StartAt::kNewest);
  pollfd watch{attachment.owner_fd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&watch, 1, 0), 0);
  ::kill(owner, SIGKILL);
  EXPECT_EQ(::poll(&watch, 1, 5000), 1) << "the fork kept the connection";
  testing::wait_for(owner);
  EXPECT_EQ(error_of("doomed"), ECONNREFUSED);
  EXPECT_TRUE(local_ring_names().empty());
  EXPECT_NO_THROW(LocalRing::named({.name = "doomed"})) << "a dead owner's name is free";
  finish.open();
}

TEST_F(LocalSocketTest, ALivingOwnerKeepsItsName) {
  const LocalRing ring = LocalRing::named({.name = "taken"});
  try {
    LocalRing::named({.name = "taken"});
    ADD_FAILURE() << "two owners";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EADDRINUSE);
  }
  EXPECT_EQ(error_of("taken"), 0) << "and was not harmed by the try";
}

TEST_F(LocalSocketTest, NamesThoseThatAnswer) {
  EXPECT_TRUE(local_ring_names().empty());
  const LocalRing b = LocalRing::named({.name = "b"});
  {
    const LocalRing a = LocalRing::named({.name = "a.1"});
    EXPECT_EQ(local_ring_names(), (std::vector<std::string>{"a.1", "b"}));
    EXPECT_TRUE(std::filesystem::exists(local_socket_path("a.1")));
  }
  EXPECT_EQ(local_ring_names(), std::vector<std::string>{"b"});
  EXPECT_FALSE(std::filesystem::exists(local_socket_path("a.1"))) << "nothing is left behind";
  EXPECT_EQ(error_of("nobody"), ENOENT);
}

TEST_F(LocalSocketTest, AForkDoesNotCloseTheName) {
  auto ring = std::make_unique<LocalRing>(LocalRing::named({.name = "forked"}));
  EXPECT_EQ(testing::run_child([&] {
              ring.reset();
              return true;
            }),
            0);
  EXPECT_EQ(error_of("forked"), 0);
}

TEST_F(LocalSocketTest, ASocketIsForItsUserUnlessAskedOtherwise) {
  const LocalRing mine = LocalRing::named({.name = "mine"});
  const LocalRing ours = LocalRing::named({.name = "ours", .socket_mode = 0660});
  struct stat info {};
  ASSERT_EQ(::stat(local_socket_path("mine").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(local_socket_path("ours").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0117, 0u);
}

TEST_F(LocalSocketTest, ADirectoryOpenToOthersIsRefused) {
  const auto dir = local_socket_path("x").parent_path();
  std::filesystem::create_directories(dir);
  ASSERT_EQ(::chmod(dir.c_str(), 0777), 0);
  EXPECT_THROW(LocalRing::named({.name = "x"}), std::system_error);
}

/// What the owner answers to `bytes` of garbage: its errno, or -1 for a hang-up.
int answer_to(const std::string& name, const void* request, std::size_t bytes) {
  const FileDescriptor socket = testing::connected_to(name);
  EXPECT_EQ(::send(socket.get(), request, bytes, MSG_NOSIGNAL), static_cast<ssize_t>(bytes));
  std::array<std::int32_t, 64> reply{};
  const ssize_t got = ::recv(socket.get(), reply.data(), sizeof(reply), 0);
  return got <= 0 ? -1 : reply[3];
}

TEST_F(LocalSocketTest, AnswersGarbageWithARefusal) {
  const LocalRing ring = LocalRing::named({.name = "polite"});
  std::array<std::uint64_t, 16> garbage{};
  EXPECT_EQ(answer_to("polite", garbage.data(), 1), -1);
  EXPECT_EQ(answer_to("polite", garbage.data(), sizeof(garbage)), -1);
  EXPECT_EQ(answer_to("polite", garbage.data(), 32), EPROTO);
  garbage[0] = 0x006b636f73727665ULL;
  garbage[1] = 1 | (std::uint64_t{1} << 40);  // version 1, a flag that does not exist
  EXPECT_EQ(answer_to("polite", garbage.data(), 32), EPROTO);
  garbage[1] = 1;
  EXPECT_EQ(answer_to("polite", garbage.data(), 32), 0);
  EXPECT_EQ(error_of("polite", StartAt::kNewest), 0) << "and serves on";
}

TEST_F(LocalSocketTest, RefusesASequenceThatIsNotThere) {
  const LocalRing ring = LocalRing::named({.name = "bounded"});
  try {
    attach_local("bounded", StartAt::kSequence, 12);
    ADD_FAILURE() << "accepted";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ERANGE);
    EXPECT_NE(std::string(error.what()).find("sequence 12"), std::string::npos) << error.what();
  }
}

TEST_F(LocalSocketTest, AnotherUserParksAtARingThatIsForAll) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
  LocalRing ring = LocalRing::named({.name = "for-all", .socket_mode = 0666});
  const auto dir = local_socket_path("for-all").parent_path();
  ASSERT_EQ(::chmod(dir.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(dir.parent_path().c_str(), 0755), 0);
  Producer producer(ring);
  const Gate armed;
  const pid_t reader = testing::start_child([&] {
    if (::setuid(65534) != 0) return false;
    ::setenv("EVRING_RUNTIME_DIR", dir.c_str(), 1);  // root's: this user names it
    Attachment attachment = attach_local("for-all", StartAt::kNewest);
    if (!attachment.registration->arm({}, attachment.registration->sequence())) return false;
    armed.open();
    return is_readable(attachment.registration->doorbell_fd(), 10000);
  });
  armed.pass();
  publish_numbered(producer, 1);
  EXPECT_EQ(testing::wait_for(reader), 0);
}

TEST_F(LocalSocketTest, AReaderThatLocksTheFolderStopsNobodyForEver) {
  { const LocalRing makes_the_folder = LocalRing::named({.name = "first"}); }
  const auto folder = local_socket_path("first").parent_path();
  FileDescriptor reader(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(reader.get(), LOCK_SH), 0);
  EXPECT_EQ(testing::run_child([&] {
              ::alarm(30);
              try {
                LocalRing::named({.name = "second"});
              } catch (const std::system_error& error) {
                return error.code().value() == ETIMEDOUT &&
                       std::string(error.what()).find(folder.native()) != std::string::npos;
              }
              return false;
            }),
            0)
      << "14: waits for ever";
  reader = FileDescriptor();
  EXPECT_NO_THROW(LocalRing::named({.name = "second"}));
}

}  // namespace
}  // namespace evring
