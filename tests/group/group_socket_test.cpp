// SPDX-License-Identifier: MIT
// Groups of processes that are not related: each finds the group by the names of its
// ring and its own, through the ring's owner. EVRING_GROUP_WORKER is the program of a member.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "../eventually.hpp"
#include "../fresh_runtime_dir.hpp"
#include "group_support.hpp"

namespace evring {
namespace {

using namespace group_test;

class GroupSocketTest : public testing::TestWithParam<Mode> {
 protected:
  LocalRing named_ring(std::uint64_t slot_count) {
    return LocalRing::named({.slot_count = slot_count, .mode = GetParam(), .name = "work"});
  }

 private:
  FreshRuntimeDir runtime_dir_;
};
INSTANTIATE_TEST_SUITE_P(Modes, GroupSocketTest, testing::Values(Mode::kGated, Mode::kOverwrite),
                         [](const auto& mode) {
                           return mode.param == Mode::kGated ? "gated" : "overwrite";
                         });

struct Received {
  unsigned long long count = 0;
  unsigned long long lost = 0;
  unsigned long long sum = 0;
};

/// A process that executes EVRING_GROUP_WORKER, and has joined.
class Worker {
 public:
  Worker() {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    EXPECT_EQ(::pipe2(in.data(), O_CLOEXEC) + ::pipe2(out.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execl(EVRING_GROUP_WORKER, "group_worker", "work", "crew", nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    output_ = ::fdopen(out[0], "r");
    std::array<char, 16> word{};
    EXPECT_NE(std::fgets(word.data(), word.size(), output_), nullptr);
    EXPECT_STREQ(word.data(), "joined\n");
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    if (pid_ > 0) kill();
    if (input_ >= 0) ::close(input_);
    std::fclose(output_);
  }

  void kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  /// Lets it read what is left and end.
  Received finish() {
    ::close(input_);
    input_ = -1;
    Received received;
    EXPECT_EQ(
        std::fscanf(output_, "%llu %llu %llu", &received.count, &received.lost, &received.sum), 3);
    int status = -1;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    EXPECT_EQ(status, 0);
    return received;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::FILE* output_ = nullptr;
};

TEST_P(GroupSocketTest, ProgramsShareARingByTheNameOfTheirGroup) {
  constexpr std::uint64_t kCount = 20000;
  LocalRing ring = named_ring(GetParam() == Mode::kGated ? 64 : 32768);
  Worker first;
  Worker second;
  Producer producer(ring, WhenFull::kWait);
  publish(producer, kCount);
  const Received a = first.finish();
  const Received b = second.finish();
  EXPECT_EQ(a.count + b.count, kCount);
  EXPECT_EQ(a.lost + b.lost, 0u);
  EXPECT_EQ(a.sum + b.sum, kCount * (kCount - 1) / 2) << "each to one of them";
  EXPECT_EQ(producer.dropped(), 0u);
}

TEST_P(GroupSocketTest, WhatAKilledProgramHeldIsReadByAnother) {
  constexpr std::uint64_t kCount = 20000;
  LocalRing ring = named_ring(GetParam() == Mode::kGated ? 64 : 32768);
  const Group group = Group::attach_local("work", "crew");
  Worker survivor;
  auto doomed = std::make_unique<Worker>();
  std::thread writer([&ring] {
    Producer producer(ring, WhenFull::kWait);
    publish(producer, kCount);
  });
  const Consumer watcher(ring.mapping());
  while (watcher.head() < kCount / 2) std::this_thread::yield();
  doomed->kill();
  std::array<Event, 8> events;
  while (watcher.head() < kCount || group.dead_count() != 0) {
    while (auto recovery = Recovery::begin(group)) {
      while (recovery->read_burst(events).status == ReadStatus::kEvent) {
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  writer.join();
  EXPECT_EQ(survivor.finish().lost, 0u);
  expect_balanced(group);
  EXPECT_EQ(group.balance()->received, kCount);
}

// Or a gated ring would wait for a group that nobody is in.
TEST_P(GroupSocketTest, AGroupEndsWithItsLastConnection) {
  LocalRing ring = named_ring(8);
  Producer producer(ring, WhenFull::kWait);
  {
    const Group group = Group::attach_local("work", "crew");
    const Group other = Group::attach_local("work", "other");
    EXPECT_EQ(ring.registered_count(), GetParam() == Mode::kGated ? 2u : 0u);
    const Group again = Group::attach_local("work", "crew");
    EXPECT_EQ(again.start(), group.start());
  }
  publish(producer, 100);
  EXPECT_EQ(producer.published(), 100u);
  EXPECT_EQ(ring.registered_count(), 0u);
  EXPECT_TRUE(eventually([] {  // as soon as the owner has heard of the old one's end
    return Group::attach_local("work", "crew", StartAt::kNewest).start() == 100;
  }));
}

// Its parent's connection, and with it the group's seat, may end at any time.
TEST_P(GroupSocketTest, AForkedChildOfAGatedOneAttachesByItself) {
  LocalRing ring = named_ring(8);
  const Group group = Group::attach_local("work", "crew");
  const int status = run_child([&group] {
    const Member own(Group::attach_local("work", "crew"));
    try {
      const Member member(group);
    } catch (const std::system_error& error) {
      ::_exit(error.code().value() == EOWNERDEAD ? 1 : 2);
    }
  });
  EXPECT_EQ(WEXITSTATUS(status), GetParam() == Mode::kGated ? 1 : 0);
}

TEST_P(GroupSocketTest, ANameThatIsNoneIsRefused) {
  LocalRing ring = named_ring(8);
  for (const char* name : {"", "../x", "a b"}) {
    EXPECT_THROW(Group::attach_local("work", name), std::system_error) << name;
  }
  EXPECT_THROW(Group::attach_local("nothing", "crew"), std::system_error);
}

}  // namespace
}  // namespace evring
