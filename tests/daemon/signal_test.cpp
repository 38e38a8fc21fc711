// SPDX-License-Identifier: MIT
// Signals, and outputs that nobody takes: evringd drains, says what is pending, and ends.
#include "running_daemon.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

namespace evring {
namespace {

using nlohmann::json;

/// A named pipe, and what is read from it.
class Fifo {
 public:
  Fifo() : path_("/tmp/evring-fifo-" + std::to_string(getpid())) {
    unlink(path_.c_str());
    if (mkfifo(path_.c_str(), 0600) != 0) throw std::system_error(errno, std::generic_category());
  }
  ~Fifo() {
    hang_up();
    unlink(path_.c_str());
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  void open() { fd_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }
  void hang_up() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  /// What is in it now.
  std::string read() const {
    std::string text;
    char buffer[4096];
    for (ssize_t count; (count = ::read(fd_, buffer, sizeof(buffer))) > 0;) {
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
};

class SignalTest : public RunningDaemonTest {
 protected:
  void launch_into_fifo(const std::string& drain_s) {
    launch("[daemon]\ndrain_s = " + drain_s + "\n" +
           consumer("reader", "start = \"oldest\"\noutput = \"jsonl:" + fifo_.path() + "\"\n"));
    await_readers(1);
  }
  /// More than a pipe holds: the output blocks.
  void fill() {
    for (unsigned i = 0; i < 20; ++i) {
      publish(100);
      const std::uint64_t published = producer_->published();
      ASSERT_TRUE(eventually([&] { return now()["received"] == published; })) << "poller stopped";
    }
  }
  Fifo fifo_;
};

TEST_F(SignalTest, SigtermEndsWhileAnOutputBlocks) {
  fifo_.open();
  launch_into_fifo("1");
  fill();
  const json account = account_of(stop(SIGTERM, 1));
  EXPECT_EQ(account["received"], 2000);
  EXPECT_GT(account["pending"], 0);
  EXPECT_TRUE(contains(daemon_->errors(), "raise drain_s")) << daemon_->errors();
  const std::string text = fifo_.read();
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_EQ(account["delivered"], lines);
}

TEST_F(SignalTest, APipeWithoutAReaderStopsNobody) {
  launch_into_fifo("0");
  fill();
  EXPECT_TRUE(eventually([&] { return said("start its reader") == 1; })) << daemon_->errors();
  const json account = account_of(stop(SIGINT, 1));
  EXPECT_EQ(account["pending"], 2000);
}

TEST_F(SignalTest, AReaderThatComesLateGetsAll) {
  launch_into_fifo("60");
  publish(20);
  ASSERT_TRUE(eventually([&] { return said("start its reader") == 1; }));
  fifo_.open();
  std::string text;
  EXPECT_TRUE(eventually([&] {
    text += fifo_.read();
    return std::count(text.begin(), text.end(), '\n') == 20;
  }));
  EXPECT_EQ(account_of(stop(SIGTERM, 0))["delivered"], 20);
}

TEST_F(SignalTest, WhatAFullQueueRefusesIsCountedAndALine) {
  launch("[daemon]\ndrain_s = 60\n" +
         consumer("reader",
                  "start = \"oldest\"\nqueue_kib = 8\noutput = \"jsonl:" + fifo_.path() + "\"\n"));
  await_readers(1);
  fill();
  const std::uint64_t dropped = now()["output"]["dropped"];
  EXPECT_GT(dropped, 0u);
  fifo_.open();
  std::string text;
  ASSERT_TRUE(eventually([&] {
    text += fifo_.read();
    return now()["output"]["pending"] == 0;
  }));
  const json account = account_of(stop(SIGTERM, 1));
  EXPECT_TRUE(contains(daemon_->errors(), "events were dropped meanwhile")) << daemon_->errors();
  text += fifo_.read();
  EXPECT_EQ(account["dropped"], dropped);

  std::uint64_t next = 0;
  std::uint64_t missing = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line); ++next) {
    const json each = json::parse(line);
    const bool is_gap = each.contains("dropped");
    EXPECT_EQ(each[is_gap ? "first" : "sequence"], next);
    if (!is_gap) continue;
    missing += each["dropped"].get<std::uint64_t>();
    next = each["last"];
  }
  EXPECT_EQ(next, 2000u);
  EXPECT_EQ(missing, dropped);
}

TEST_F(SignalTest, AReaderThatGoesEndsNobody) {
  fifo_.open();
  launch_into_fifo("0");
  publish(1);
  ASSERT_TRUE(eventually([&] { return now()["output"]["delivered"] == 1; }));
  fifo_.hang_up();
  publish(1);
  ASSERT_TRUE(eventually([&] { return said("start its reader") == 1; })) << daemon_->errors();
  const json account = account_of(stop(SIGTERM, 1));
  EXPECT_EQ(account["pending"], 1);
}

TEST_F(SignalTest, ASecondSignalWaitsNoLonger) {
  launch_into_fifo("3600");
  publish(5);
  ASSERT_TRUE(eventually([&] { return now()["received"] == 5; }));
  daemon_->send(SIGTERM);
  const json account = account_of(stop(SIGINT, 1));
  EXPECT_EQ(account["pending"], 5);
}

TEST_F(SignalTest, SigtermEndsWhileNobodyReadsTheReports) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  while (write(ends[1], "nobody", 6) > 0) {
  }
  fcntl(ends[1], F_SETFL, 0);
  launch("[daemon]\ndrain_s = 0\n" + consumer("reader", ""), {"--json"},
         [&] { dup2(ends[1], STDOUT_FILENO); });
  await_readers(1);
  daemon_->send(SIGUSR1);
  daemon_->send(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_TRUE(contains(daemon_->errors(), "standard output: ")) << daemon_->errors();
  close(ends[0]);
  close(ends[1]);
}

TEST_F(SignalTest, SighupDrains) {
  start("");
  publish(50);
  EXPECT_EQ(stop(SIGHUP, 0)["received"], 50);
}

TEST_F(SignalTest, SigpipeEndsNobody) {
  start("");
  daemon_->send(SIGPIPE);
  publish(50);
  EXPECT_EQ(stop(SIGTERM, 0)["received"], 50);
}

}  // namespace
}  // namespace evring
