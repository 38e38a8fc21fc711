// SPDX-License-Identifier: MIT
// What pollers show of themselves to other programs, alive, hung, forked and dead.
#include "support.hpp"

#include <evring/poller/board.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

namespace evring {
namespace {

class BoardTest : public testing::Test {
 protected:
  std::filesystem::path folder() const { return runtime_dir_.path() / "evring" / "consumers"; }
  std::ptrdiff_t file_count() const {
    return std::distance(std::filesystem::directory_iterator(folder()), {});
  }

  FreshRuntimeDir runtime_dir_;
};

PollerOptions named(const std::string& name) {
  PollerOptions options;
  options.name = name;
  return options;
}

TEST_F(BoardTest, EveryPollerIsSeenWithAllItsRings) {
  LocalRing ring = small_ring();
  Producer producer(ring);
  Poller poller(named("test"));
  constexpr unsigned kRingCount = 40;  // more than one page of records
  for (unsigned i = 0; i < kRingCount; ++i) poller.add(PollSource::of(ring, {.doorbell = false}));
  EXPECT_EQ(poller.post_refusal(), "");
  producer.publish(event_of(1));
  while (poller.poll_once(kIgnore) != 0) {
  }
  const std::vector<ConsumerEntry> seen = read_consumer_board();
  ASSERT_EQ(seen.size(), kRingCount);
  for (const ConsumerEntry& entry : seen) {
    EXPECT_EQ(entry.ring, "local:anonymous");
    EXPECT_EQ(entry.who, "test");
    EXPECT_EQ(entry.pid, static_cast<std::uint64_t>(getpid()));
    EXPECT_EQ(entry.balance.received, 1U);
    EXPECT_TRUE(entry.balance.balanced());
  }
  EXPECT_EQ(file_count(), 1);
}

TEST_F(BoardTest, IsNamedAfterTheProgramAndLeavesNothingBehind) {
  {
    Poller poller;
    poller.add(PollSource::of(small_ring()));
    ASSERT_EQ(read_consumer_board().size(), 1U);
    EXPECT_EQ(read_consumer_board()[0].who, program_invocation_short_name);
  }
  EXPECT_TRUE(read_consumer_board().empty());
  EXPECT_EQ(file_count(), 0);
}

TEST_F(BoardTest, APollerThatIsNotPostedIsNotSeen) {
  PollerOptions options;
  options.is_posted = false;
  Poller poller(std::move(options));
  poller.add(PollSource::of(small_ring()));
  EXPECT_TRUE(read_consumer_board().empty());
  EXPECT_EQ(poller.post_refusal(), "");
  EXPECT_FALSE(std::filesystem::exists(runtime_dir_.path() / "evring"));
}

TEST_F(BoardTest, ABoardThatCannotBeHadCostsAWord) {
  std::filesystem::create_directory(runtime_dir_.path() / "evring");
  ASSERT_EQ(chmod((runtime_dir_.path() / "evring").c_str(), 0777), 0);
  LocalRing ring = small_ring();
  Producer producer(ring);
  Poller poller(named("test"));
  poller.add(PollSource::of(ring));
  EXPECT_NE(poller.post_refusal().find("others may write it"), std::string::npos);
  producer.publish(event_of(1));
  EXPECT_EQ(poller.poll_once(kIgnore), 1U);
  EXPECT_EQ(poller.counters(0).received, 1U);
}

TEST_F(BoardTest, AStoppedPollerIsSeenAsItStands) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    LocalRing ring = small_ring();
    Producer producer(ring);
    Poller poller(named("stopped"));
    poller.add(PollSource::of(ring));
    for (std::uint64_t i = 0; i < 5; ++i) producer.publish(event_of(i));
    poller.poll_once([&](unsigned, std::span<const Event>) {
      [[maybe_unused]] const auto written = write(ready[1], "x", 1);
      for (;;) pause();  // hangs in its handler
    });
  }
  char letter = 0;
  ASSERT_EQ(read(ready[0], &letter, 1), 1);
  const std::vector<ConsumerEntry> seen = read_consumer_board();
  EXPECT_EQ(file_count(), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].pid, static_cast<std::uint64_t>(child));
  EXPECT_EQ(seen[0].balance.received, 5U);
  EXPECT_TRUE(read_consumer_board().empty()) << "it is dead";
  EXPECT_EQ(file_count(), 0) << "and what it left is removed";
}

TEST_F(BoardTest, AForkedCopyEndsNothingAndKeepsNothing) {
  auto poller = std::make_unique<Poller>(named("parent"));
  poller->add(PollSource::of(small_ring()));
  const pid_t child = fork();
  if (child == 0) {
    poller.reset();
    pause();
    _exit(0);
  }
  const pid_t second = fork();
  if (second == 0) {
    poller.reset();
    _exit(0);
  }
  waitpid(second, nullptr, 0);
  EXPECT_EQ(read_consumer_board().size(), 1U) << "the child's copy is not the parent's end";
  poller.reset();
  EXPECT_TRUE(read_consumer_board().empty());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(BoardTest, ARingThatIsGoneIsNotSeen) {
  LocalRingOptions ring_options;
  ring_options.name = "gone";
  auto ring = std::make_unique<LocalRing>(LocalRing::named(ring_options));
  PollerOptions options = named("test");
  options.strategy = WaitStrategy::kBusySpin;
  RunningPoller poller(std::move(options));
  poller->add(PollSource::open("local:gone"));
  poller.start();
  ring.reset();
  EXPECT_EQ(poller.join(), RunEnd::kAllGone);
  EXPECT_TRUE(read_consumer_board().empty());
}

}  // namespace
}  // namespace evring
