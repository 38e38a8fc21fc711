// SPDX-License-Identifier: MIT
// What evringd's outputs hold and say of themselves: by time, on a full disk, after a
// torn line, through gaps. The account is compared with the lines that are there.
#include "running_daemon.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace evring {
namespace {

using nlohmann::json;

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

bool ends_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return text.empty() || text.back() == '\n';
}

/// The events among the lines; every line is an object.
std::uint64_t event_count(const std::string& path) {
  std::uint64_t count = 0;
  for (const std::string& line : lines_of(path)) count += json::parse(line).contains("sequence");
  return count;
}

std::string jsonl(const std::string& path, const std::string& more = "") {
  return "start = \"oldest\"\noutput = \"jsonl:" + path + "\"\n" + more;
}

class OutputTest : public RunningDaemonTest {
 protected:
  /// Lets the daemon's files grow no further.
  void limit_files(rlim_t bytes) {
    const rlimit limit{bytes, RLIM_INFINITY};
    ASSERT_EQ(prlimit(daemon_->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  }
  /// Publishes so that nobody is lapped.
  void publish_slowly(unsigned count) {
    for (unsigned done = 0; done < count; done += 100) {
      publish(100);
      const std::uint64_t published = producer_->published();
      ASSERT_TRUE(eventually([&] { return now()["received"] == published; }));
    }
  }
};

TEST_F(OutputTest, LinesAreThereWhileItRuns) {
  const TemporaryFile out("");
  start(jsonl(out.path()));
  publish(3);
  EXPECT_TRUE(eventually([&] { return lines_of(out.path()).size() == 3; }));
  const json account = account_of(stop(SIGTERM, 0));
  EXPECT_EQ(account["delivered"], 3);
}

TEST_F(OutputTest, LinesNameTheirRingAndGeneration) {
  const TemporaryFile out("");
  start(jsonl(out.path()));
  publish(1);
  stop(SIGTERM, 0);
  const json line = json::parse(lines_of(out.path()).at(0));
  EXPECT_EQ(line["consumer"], "reader");
  EXPECT_EQ(line["ring"], "local:" + name_);
  EXPECT_EQ(line["generation"], producer_->generation());
  EXPECT_EQ(line["sequence"], 0);
}

TEST_F(OutputTest, ALossIsALineOfItsOwn) {
  publish(1000);  // the ring holds 256
  const TemporaryFile out("");
  start("start = 0\noutput = \"jsonl:" + out.path() + "\"\n");
  const json consumer = stop(SIGTERM, 0);
  const json gap = json::parse(lines_of(out.path()).at(0));
  EXPECT_EQ(gap["ring"], "local:" + name_);
  EXPECT_EQ(gap["first"], 0);
  EXPECT_EQ(gap["lost"], consumer["lost"]);
  EXPECT_EQ(gap["last"].get<std::uint64_t>() + 1, gap["lost"]);
  EXPECT_EQ(gap["dropped"], 0);
  const json next = json::parse(lines_of(out.path()).at(1));
  EXPECT_EQ(next["sequence"], gap["lost"]);
}

TEST_F(OutputTest, ALossAtTheEndIsALineToo) {
  publish(1000);
  const TemporaryFile out("");
  start("start = 0\nresync = \"newest\"\noutput = \"jsonl:" + out.path() + "\"\n");
  ASSERT_TRUE(eventually([&] { return now()["lost"] == 1000; }));
  stop(SIGTERM, 0);
  ASSERT_EQ(lines_of(out.path()).size(), 1u);
  const json gap = json::parse(lines_of(out.path()).at(0));
  EXPECT_EQ(gap["last"], 999);
  EXPECT_EQ(gap["lost"], 1000);
}

// An owner that starts anew counts generations from 1 again: so did the ring before it.
TEST_F(OutputTest, ARingWhoseOwnerStartedAnewLeavesNoGap) {
  const TemporaryFile out("");
  start(jsonl(out.path()));
  publish(10);
  ASSERT_TRUE(eventually([&] { return lines_of(out.path()).size() == 10; }));
  close_ring();
  ASSERT_TRUE(eventually([&] { return said("is gone") == 1; }));
  open_ring(256);
  await_readers(2);
  publish(5);
  EXPECT_EQ(account_of(stop(SIGTERM, 0))["delivered"], 15);
  for (const std::string& line : lines_of(out.path())) {
    EXPECT_TRUE(json::parse(line).contains("sequence")) << line;
  }
  EXPECT_EQ(event_count(out.path()), 15u);
}

TEST_F(OutputTest, AFullDiskIsNotReportedAsFine) {
  start(jsonl("/dev/full"));
  publish(100);
  ASSERT_TRUE(eventually([&] { return said("No space left on device") != 0; }));
  const json account = account_of(stop(SIGTERM, 1));
  EXPECT_EQ(account["delivered"], 0);
  EXPECT_EQ(account["dropped"], 100);
  EXPECT_TRUE(contains(account["failure"], "jsonl:/dev/full: No space left on device; "));
  EXPECT_TRUE(contains(daemon_->errors(), "100 events were not written")) << daemon_->errors();
}

// The end of the generation found no room in the queue, and was waited for until drain_s.
TEST_F(OutputTest, AFullDiskAndAFullQueueAreNotWaitedFor) {
  launch("[daemon]\ndrain_s = 3600\n" + consumer("reader", jsonl("/dev/full", "queue_kib = 8\n")));
  await_readers(1);
  publish_slowly(2000);
  ASSERT_TRUE(eventually([&] { return said("No space left on device") != 0; }));
  const json account = account_of(stop(SIGTERM, 1));
  EXPECT_EQ(account["dropped"], 2000);
  EXPECT_TRUE(contains(account["failure"], "2000 events were not written")) << account;
}

TEST_F(OutputTest, AnOutputThatFailsEndsNobodyElse) {
  const TemporaryFile out("");
  launch(consumer("full", jsonl("/dev/full")) + consumer("healthy", jsonl(out.path())));
  await_readers(2);
  publish(10);
  ASSERT_TRUE(eventually([&] { return said("No space left on device") != 0; }));
  publish(10);
  EXPECT_TRUE(eventually([&] { return lines_of(out.path()).size() == 20; }));
  account_of(stop(SIGTERM, 1));
  const json healthy = last_report()["consumers"][1];
  EXPECT_EQ(account_of(healthy)["delivered"], 20);
}

TEST_F(OutputTest, AFileThatMayNotGrowEndsWithAWholeLine) {
  const TemporaryFile out("");
  start(jsonl(out.path()));
  limit_files(5000);
  publish(200);
  ASSERT_TRUE(eventually([&] { return said("File too large") != 0; }));
  EXPECT_TRUE(ends_whole(out.path()));
  const json account = account_of(stop(SIGTERM, 1));
  EXPECT_TRUE(ends_whole(out.path()));
  EXPECT_GT(account["dropped"], 0);
  EXPECT_EQ(account["torn"], 0);
  EXPECT_EQ(account["delivered"], event_count(out.path()));
}

TEST_F(OutputTest, RoomThatComesBackIsUsed) {
  const TemporaryFile out("");
  start(jsonl(out.path()));
  limit_files(5000);
  publish(200);
  ASSERT_TRUE(eventually([&] { return said("File too large") != 0; }));
  limit_files(RLIM_INFINITY);
  ASSERT_TRUE(eventually([&] { return lines_of(out.path()).size() == 200; }));
  EXPECT_EQ(account_of(stop(SIGTERM, 0))["delivered"], 200);
  EXPECT_EQ(event_count(out.path()), 200u);
}

/// A file system of 64 KiB, where this user may mount one.
class SmallDiskTest : public OutputTest {
 protected:
  void SetUp() override {
    OutputTest::SetUp();
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    is_mounted_ = mount("none", folder_.c_str(), "tmpfs", 0, "size=64k") == 0;
    if (!is_mounted_) GTEST_SKIP() << "no mount here: " << std::strerror(errno);
  }
  void TearDown() override {
    daemon_.reset();
    if (is_mounted_) umount(folder_.c_str());
    rmdir(folder_.c_str());
  }
  std::string folder_ = "/tmp/evring-disk-XXXXXX";
  bool is_mounted_ = false;
};

TEST_F(SmallDiskTest, NoTornLineIsFollowedByAWholeOne) {
  const std::string path = folder_ + "/events";
  std::ofstream(folder_ + "/ballast") << std::string(32 << 10, 'x');
  start(jsonl(path));
  publish_slowly(1000);
  ASSERT_TRUE(eventually([&] { return said("No space left on device") != 0; }));
  EXPECT_TRUE(ends_whole(path));
  const std::size_t before = lines_of(path).size();
  std::filesystem::remove(folder_ + "/ballast");
  ASSERT_TRUE(eventually([&] { return lines_of(path).size() > before; }));
  const json account = account_of(stop(SIGTERM, 1));  // 1000 lines need more than 64 KiB
  EXPECT_TRUE(ends_whole(path));
  EXPECT_GT(account["dropped"], 0);
  EXPECT_EQ(account["delivered"], event_count(path));
}

TEST_F(OutputTest, WhatADeadWriterLeftTornIsNotContinued) {
  const TemporaryFile out("{\"sequence\":1}\n{\"seq");
  start(jsonl(out.path()));
  publish(1);
  EXPECT_EQ(account_of(stop(SIGTERM, 0))["torn"], 1);
  const auto lines = lines_of(out.path());
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1], "{\"seq");
  EXPECT_EQ(json::parse(lines[2])["sequence"], 0);
}

TEST_F(OutputTest, LargeEventsComeOutWhole) {
  close_ring();
  LocalRingOptions options;
  options.name = name_;
  options.slot = slot_of<SlotLayout<SlotFormat::kBare, 4096>>();
  options.slot_count = 64;
  LocalRing ring = LocalRing::named(options);
  BasicProducer<SlotLayout<SlotFormat::kBare, 4096>> producer(ring);
  const TemporaryFile out("");
  start(jsonl(out.path()));
  BasicEvent<SlotLayout<SlotFormat::kBare, 4096>> event;
  for (unsigned i = 0; i < 20; ++i) {
    event.payload.fill(static_cast<std::byte>(i));
    producer.publish(event);
  }
  stop(SIGTERM, 0);
  const auto lines = lines_of(out.path());
  ASSERT_EQ(lines.size(), 20u);
  for (unsigned i = 0; i < 20; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", i);
    std::string payload;
    while (payload.size() < 2 * 4088) payload += digits;
    EXPECT_EQ(json::parse(lines[i])["payload"], payload);
  }
}

TEST_F(OutputTest, AReportToAFullDiskIsAnError) {
  launch(consumer("reader", ""), {"--json"},
         [] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); });
  await_readers(1);
  daemon_->send(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_TRUE(contains(daemon_->errors(), "standard output: No space left on device"))
      << daemon_->errors();
}

TEST(DaemonTest, HelpToAFullDiskIsAnError) {
  Process help({EVRINGD_PATH, "--help"}, [] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); });
  EXPECT_EQ(help.wait(), 1);
}

TEST_F(OutputTest, AnOutputThatCannotBeOpenedIsAnErrorOfTheStart) {
  launch(consumer("reader", jsonl("/nowhere/events")));
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_TRUE(contains(daemon_->errors(), "/nowhere/events: No such file")) << daemon_->errors();
}

}  // namespace
}  // namespace evring
