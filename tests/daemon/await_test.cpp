// SPDX-License-Identifier: MIT
// Rings that are not there, at the start or later, and what the service manager is told.
#include "running_daemon.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace evring {
namespace {

TEST_F(RunningDaemonTest, AwaitsARingThatIsMissingAtTheStart) {
  close_ring();
  launch(consumer("reader", ""));
  ASSERT_TRUE(eventually([&] { return said("waiting for it") == 1; })) << daemon_->errors();
  EXPECT_EQ(now()["state"], "waiting");
  open_ring(256);
  publish(7);
  await_readers(1);
  EXPECT_EQ(stop(SIGTERM, 0)["received"], 7) << "from its oldest event on";
}

TEST_F(RunningDaemonTest, AMissingRingIsAnErrorWhereNobodyWaits) {
  close_ring();
  launch("[daemon]\nawait_s = 0\n" + consumer("reader", ""));
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_TRUE(contains(daemon_->errors(), name_)) << daemon_->errors();
}

TEST_F(RunningDaemonTest, SaysWhyARingThatIsThereCannotBeRead) {
  close_ring();
  launch(consumer("reader", ""));
  ASSERT_TRUE(eventually([&] { return said("waiting for it") == 1; })) << daemon_->errors();
  LocalRingOptions options;
  options.name = name_;
  options.mode = Mode::kGated;
  options.registered_count_max = 1;
  daemon_->send(SIGSTOP);
  ring_ = LocalRing::named(options);
  std::optional<Registration> only_seat = ring_->register_consumer();
  daemon_->send(SIGCONT);
  EXPECT_TRUE(eventually([&] { return said("; still waiting") == 1; })) << daemon_->errors();
  only_seat.reset();
  await_readers(1);
  EXPECT_EQ(said("; still waiting"), 1u) << "once, not with every try";
  stop(SIGTERM, 0);
}

TEST_F(RunningDaemonTest, WaitingHasABound) {
  close_ring();
  launch("[daemon]\nawait_s = 1\n" + consumer("reader", ""));
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_TRUE(contains(daemon_->errors(), "did not come within 1 s")) << daemon_->errors();
}

TEST_F(RunningDaemonTest, AConsumerThatFailsEndsNobodyElse) {
  launch("[daemon]\nawait_s = 1\n" + consumer("reader", "") +
         "[[consumer]]\nname = \"lonely\"\nring = \"local:nobody-has-this\"\n");
  ASSERT_TRUE(eventually([&] { return said("lonely: local:nobody-has-this did not come") == 1; }));
  publish(3);
  EXPECT_EQ(stop(SIGTERM, 1)["received"], 3);
}

/// A service manager's socket.
class Manager {
 public:
  Manager() : path_("/tmp/evring-notify-" + std::to_string(getpid())) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
    unlink(path_.c_str());
    fd_ = FileDescriptor(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::system_error(errno, std::generic_category(), path_);
    }
  }
  ~Manager() { unlink(path_.c_str()); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  /// Whether it has been told that.
  bool heard(const std::string& part) {
    char buffer[1024];
    for (ssize_t count; (count = recv(fd_.get(), buffer, sizeof(buffer), 0)) > 0;) {
      text_ += std::string(buffer, static_cast<std::size_t>(count)) + '\n';
    }
    return contains(text_, part);
  }
  const std::string& path() const noexcept { return path_; }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string path_;
  FileDescriptor fd_;
  std::string text_;
};

TEST_F(RunningDaemonTest, TellsTheServiceManagerHowFarItIs) {
  Manager manager;
  launch(consumer("reader", ""), {"--json"}, [&] {
    setenv("NOTIFY_SOCKET", manager.path().c_str(), 1);
    setenv("WATCHDOG_USEC", "200000", 1);
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  });
  EXPECT_TRUE(eventually([&] { return manager.heard("READY=1\n"); })) << manager.text();
  EXPECT_TRUE(eventually([&] { return manager.heard("WATCHDOG=1\n"); })) << manager.text();
  EXPECT_TRUE(manager.heard("STATUS=1 reading, 0 waiting")) << manager.text();
  stop(SIGTERM, 0);
  EXPECT_TRUE(manager.heard("STOPPING=1\n")) << manager.text();
}

}  // namespace
}  // namespace evring
