// SPDX-License-Identifier: MIT
// Doorbells through EVRING_IOC_ARM and poll(): watermark, time, idle bound, disarm.
#include <poll.h>

#include <atomic>
#include <thread>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

using std::chrono::milliseconds;

class ArmTest : public DeviceTest {
 protected:
  static short poll_events(const Device& device, int timeout_ms) {
    pollfd poller{device.fd(), POLLIN, 0};
    return ::poll(&poller, 1, timeout_ms) == 1 ? poller.revents : 0;
  }
  static void arm(const Device& device, std::uint64_t cursor, std::uint16_t wake_events,
                  std::uint32_t wake_us, std::uint16_t max_idle_ms = 10000) {
    const evring_arm request{cursor, wake_us, wake_events, max_idle_ms};
    ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_ARM, &request), 0);
  }
};

TEST_F(ArmTest, RingsOnceWithTheWatermarkNotBefore) {
  Device device = add();
  arm(device, 0, 8, 10000000);
  for (int i = 0; i < 7; ++i) inject(device, 1);
  EXPECT_EQ(poll_events(device, 0), 0);
  inject(device, 1);
  EXPECT_EQ(poll_events(device, 10000), POLLIN);
  EXPECT_EQ(device.info().doorbells_rung, 1u);
  EXPECT_EQ(device.info().doorbells_suppressed, 7u);
  inject(device, 20);
  EXPECT_EQ(device.info().doorbells_rung, 1u) << "nobody is armed any more";
}

TEST_F(ArmTest, AWatermarkThatTheRingCannotHoldIsAFullRing) {
  Device device = add([](auto& c) { c.mode = EVRING_MODE_GATED; });
  Device registered = Device::open(device.name(), Device::Access::kReadWrite);
  const DeviceCursor cursor = registered.register_cursor(StartAt::kOldest);
  arm(device, 0, 65, 10000000);
  inject(device, 63);
  EXPECT_EQ(poll_events(device, 0), 0);
  inject(device, 1);
  EXPECT_EQ(poll_events(device, 5000), POLLIN);
  EXPECT_EQ(device.info().doorbells_rung, 1u);
}

TEST_F(ArmTest, RingsAtOnceForWhatIsThereAlready) {
  Device device = add();
  inject(device, 3);
  arm(device, 0, 1, 0);
  EXPECT_EQ(poll_events(device, 10000), POLLIN);
  EXPECT_EQ(attribute(device.name(), "armed_count"), 0u);
}

TEST_F(ArmTest, RingsSomeTimeAfterTheFirstEvent) {
  Device device = add();
  arm(device, 0, 1000, 50000);
  inject(device, 1);
  EXPECT_EQ(poll_events(device, 0), 0);
  EXPECT_EQ(poll_events(device, 10000), POLLIN);
  EXPECT_EQ(device.info().doorbells_rung, 1u);
}

TEST_F(ArmTest, TheTimeCountsForEventsBeforeTheArmToo) {
  Device device = add();
  inject(device, 1);
  arm(device, 0, 1000, 20000);
  EXPECT_EQ(poll_events(device, 10000), POLLIN);
}

TEST_F(ArmTest, RingsAfterTheIdleBound) {
  Device device = add();
  const auto start = std::chrono::steady_clock::now();
  arm(device, 0, 1, 0, 100);
  EXPECT_EQ(poll_events(device, 0), 0);
  EXPECT_EQ(poll_events(device, 10000), POLLIN);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(95));
}

TEST_F(ArmTest, AnIdleBoundThatEndsSoonerIsNotLeftToALaterOne) {
  Device device = add();
  const Device other = Device::open(device.name());
  for (int round = 0; round < 3; ++round) {
    arm(other, 0, 1, 0, 10000);
    arm(device, 0, 1, 0, 50);
    EXPECT_EQ(poll_events(device, 5000), POLLIN) << "not with the other, after ten seconds";
    EXPECT_EQ(poll_events(other, 0), 0);
  }
}

TEST_F(ArmTest, WaitsForACursorAheadOfHead) {
  Device device = add();
  arm(device, 5, 1, 0);
  inject(device, 5);
  EXPECT_EQ(poll_events(device, 0), 0);
  inject(device, 1);
  EXPECT_EQ(poll_events(device, 10000), POLLIN);
}

TEST_F(ArmTest, DisarmedNobodyIsRung) {
  Device device = add();
  arm(device, 0, 1, 0);
  ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_DISARM), 0);
  EXPECT_EQ(attribute(device.name(), "armed_count"), 0u);
  inject(device, 1);
  EXPECT_EQ(device.info().doorbells_rung, 0u);
}

TEST_F(ArmTest, ArmingAgainReplacesTheFirstArm) {
  Device device = add();
  arm(device, 0, 1, 0);
  arm(device, 0, 3, 10000000);
  EXPECT_EQ(attribute(device.name(), "armed_count"), 1u);
  inject(device, 2);
  EXPECT_EQ(poll_events(device, 0), 0);
  inject(device, 1);
  EXPECT_EQ(poll_events(device, 10000), POLLIN);
}

TEST_F(ArmTest, TwoThreadsWhoArmAreNeitherRefusedNorMixed) {
  Device device = add();
  inject(device, 5);
  // Neither rings; the watermark of the one with the cursor of the other would.
  const evring_arm requests[] = {{100, 0, 1, 10000}, {0, 10000000, 60000, 10000}};
  std::atomic<int> refused{0};
  const auto arm_again = [&](const evring_arm& request) {
    for (std::uint32_t i = 0; i < rounds(20000); ++i) {
      refused += ioctl_errno(device.fd(), EVRING_IOC_ARM, &request) != 0;
    }
  };
  std::thread other([&] { arm_again(requests[0]); });
  arm_again(requests[1]);
  other.join();
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(device.info().doorbells_rung, 0u);
}

TEST_F(ArmTest, AParkEndsInTimeHoweverLateItsFirstEventCame) {
  Device device = add();
  arm(device, 0, 1000, 10000000);  // ten seconds, the longest park, after the first event
  std::this_thread::sleep_for(milliseconds(5000));
  inject(device, 1);
  EXPECT_EQ(poll_events(device, 8000), POLLIN) << "not ten seconds after that";
}

TEST_F(ArmTest, BadPointerArmsNobody) {
  Device device = add();
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_ARM, nullptr), EFAULT);
  EXPECT_EQ(attribute(device.name(), "armed_count"), 0u);
}

TEST_F(ArmTest, ClosingADescriptorTakesItsArmBack) {
  Device device = add();
  {
    Device sleeper = Device::open(device.name());
    arm(sleeper, 0, 1, 0);
    EXPECT_EQ(attribute(device.name(), "armed_count"), 1u);
  }
  EXPECT_EQ(attribute(device.name(), "armed_count"), 0u);
  inject(device, 1);
}

}  // namespace
}  // namespace evring::kernel_test
