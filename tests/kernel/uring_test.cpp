// SPDX-License-Identifier: MIT
// The io_uring command: one completion for each arm, however it ends.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device_fixture.hpp"
#include "uring_client.hpp"

namespace evring::kernel_test {
namespace {

using std::chrono::milliseconds;

class UringTest : public DeviceTest {
 protected:
  static evring_arm request(std::uint64_t cursor, std::uint16_t wake_events = 1,
                            std::uint32_t wake_us = 0, std::uint16_t max_idle_ms = 10000) {
    return {cursor, wake_us, wake_events, max_idle_ms};
  }
  bool armed(const std::string& name, std::uint64_t count) {
    return eventually([&] { return attribute(name, "armed_count") == count; });
  }
  UringClient uring_;
};

TEST_F(UringTest, CompletesOnceWithTheNumberOfEvents) {
  Device device = add();
  uring_.arm(device.fd(), request(0, 4, 10000000), 11);
  ASSERT_TRUE(armed(device.name(), 1));
  inject(device, 3);
  EXPECT_FALSE(uring_.wait(milliseconds(20)).has_value());
  inject(device, 2);
  const auto completion = uring_.wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->user_data, 11u);
  EXPECT_EQ(completion->result, 5);
  inject(device, 10);
  EXPECT_FALSE(uring_.wait(milliseconds(20)).has_value()) << "one doorbell for each arm";
  EXPECT_EQ(device.info().doorbells_rung, 1u);
}

TEST_F(UringTest, CompletesAtOnceForWhatIsThereAlready) {
  Device device = add();
  inject(device, 6);
  uring_.arm(device.fd(), request(2), 1);
  const auto completion = uring_.wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->result, 4);
}

TEST_F(UringTest, NeverReportsMoreEventsThanAnIntHolds) {
  Device device = add([](auto& c) { c.first_sequence = 1ULL << 40; });
  uring_.arm(device.fd(), request(0), 1);
  const auto completion = uring_.wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->result, 0x7fffffff);
}

TEST_F(UringTest, SaysWhenItWasIdle) {
  Device device = add();
  uring_.arm(device.fd(), request(0, 1, 0, 50), 1);
  const auto completion = uring_.wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->result, -ETIME);
}

TEST_F(UringTest, DisarmEndsEveryArmOfTheDescriptor) {
  Device device = add();
  for (std::uint64_t i = 1; i <= 3; ++i) uring_.arm(device.fd(), request(0), i);
  ASSERT_TRUE(armed(device.name(), 3));
  uring_.command(device.fd(), EVRING_URING_DISARM, 9);
  int canceled = 0, disarmed = 0;
  for (int i = 0; i < 4; ++i) {
    const auto completion = uring_.wait();
    ASSERT_TRUE(completion.has_value());
    canceled += completion->result == -ECANCELED;
    disarmed += completion->user_data == 9 && completion->result == 0;
  }
  EXPECT_EQ(canceled, 3);
  EXPECT_EQ(disarmed, 1);
  EXPECT_TRUE(armed(device.name(), 0));
}

TEST_F(UringTest, RefusesUnknownCommandsAndTooManyOfThem) {
  Device device = add();
  uring_.command(device.fd(), _IO(EVRING_IOC_TYPE, 0x7f), 1);
  EXPECT_EQ(uring_.wait()->result, -ENOTTY);
  for (std::uint64_t i = 0; i < 16; ++i) uring_.arm(device.fd(), request(0), 100 + i);
  uring_.arm(device.fd(), request(0), 2);
  const auto completion = uring_.wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->user_data, 2u);
  EXPECT_EQ(completion->result, -EBUSY);
}

TEST_F(UringTest, RemovalEndsAParkedCommand) {
  Device device = add();
  uring_.arm(device.fd(), request(0), 1);
  ASSERT_TRUE(armed(device.name(), 1));
  ASSERT_EQ(remove(device.name()), 0);
  const auto completion = uring_.wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->result, -ENODEV);
  uring_.arm(device.fd(), request(0), 2);
  EXPECT_EQ(uring_.wait()->result, -ENODEV);
}

TEST_F(UringTest, CloseEndsAParkedCommand) {
  Device device = add();
  const int fd = ::open((EVRING_DEVICE_DIR "/" + device.name()).c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  uring_.arm(fd, request(0), 1);
  ASSERT_TRUE(armed(device.name(), 1));
  ASSERT_EQ(::close(fd), 0);
  const auto completion = uring_.wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->result, -ECANCELED);
  EXPECT_TRUE(eventually([&] { return device.info().open_count == 1; }));
}

TEST_F(UringTest, AProcessThatDiesParkedLeavesNothingBehind) {
  Device device = add();
  for (const int signal : {0, SIGKILL}) {
    const pid_t child = ::fork();
    if (child == 0) {
      const Device own = Device::open(device.name());
      UringClient uring;
      for (std::uint64_t i = 0; i < 8; ++i) uring.arm(own.fd(), request(0), i);
      if (signal == 0) ::_exit(0);
      ::pause();
    }
    if (signal != 0) {
      ASSERT_TRUE(armed(device.name(), 8));
      ::kill(child, signal);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(eventually([&] { return device.info().open_count == 1; }, milliseconds(5000)))
        << "long before the idle bound";
    EXPECT_TRUE(armed(device.name(), 0));
  }
}

TEST_F(UringTest, EndingTheRingEndsItsCommands) {
  Device device = add();
  {
    UringClient uring;
    uring.arm(device.fd(), request(0), 1);
    ASSERT_TRUE(armed(device.name(), 1));
    ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_DISARM), 0);
    EXPECT_EQ(uring.wait()->result, -ECANCELED);
    const bool cancelable = device.info().capabilities & EVRING_CAP_URING_CANCEL;
    if (cancelable) uring.arm(device.fd(), request(0), 2);
  }
  EXPECT_TRUE(armed(device.name(), 0));
}

TEST_F(UringTest, NoWakeUpIsLostBetweenArmAndPublish) {
  Device device = add([](auto& c) { c.slot_count = 1024; });
  Device writer = Device::open(device.name(), Device::Access::kReadWrite);
  const std::uint64_t round_count = rounds(1000);
  const pid_t child = ::fork();
  if (child == 0) {
    // Publishes as soon as the reader has taken the event before, so that it meets the arm.
    const InjectedEvent event = checked_event(1, 1);
    for (std::uint64_t i = 0; i < round_count; ++i) {
      while (attribute(device.name(), "doorbells_rung") < i) {
      }
      writer.inject(&event, 1, sizeof(event));
    }
    ::_exit(0);
  }
  std::uint64_t round = 0;
  for (; round < round_count; ++round) {
    uring_.arm(device.fd(), request(round, 1, 0, 5000), round);
    const auto completion = uring_.wait();
    ASSERT_TRUE(completion.has_value());
    ASSERT_EQ(completion->result, 1) << round;
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(device.info().doorbells_rung, round_count);
}

}  // namespace
}  // namespace evring::kernel_test
