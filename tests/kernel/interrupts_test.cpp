// SPDX-License-Identifier: MIT
// Who is interrupted when somebody arms or registers: nobody, unless the owner of the device
// chose so. Counted in /proc/interrupts.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

constexpr int kArms = 2000;
constexpr int kRegistrations = 500;

class InterruptsTest : public DeviceTest {
 protected:
  /// Function call interrupts of all CPUs.
  static std::uint64_t function_calls() {
    std::ifstream file("/proc/interrupts");
    std::uint64_t sum = 0;
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name;
      words >> name;
      for (std::uint64_t count; name == "CAL:" && words >> count;) sum += count;
    }
    return sum;
  }
  /// A device that both CPUs have published to.
  Device add_published(std::uint32_t flags, std::uint32_t mode = EVRING_MODE_OVERWRITE) {
    Device device = add([&](auto& c) {
      c.flags = flags;
      c.mode = mode;
    });
    for (const int cpu : {1, 0}) {
      const OnCpu on_cpu(cpu);
      inject(device, 1);
    }
    return device;
  }
  /// Function calls while `nobody`, who may only read, arms and arms.
  static std::uint64_t calls_while_nobody_arms(const Device& device) {
    const Device reader = Device::open(device.name());
    const std::uint64_t before = function_calls();
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setuid(65534) != 0) ::_exit(1);
      const evring_arm request{1000, 0, 1, 10000};
      for (int i = 0; i < kArms; ++i) {
        if (ioctl_errno(reader.fd(), EVRING_IOC_ARM, &request) != 0) ::_exit(2);
      }
      ::_exit(0);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return function_calls() - before;
  }

  const OnCpu on_cpu_{0};
};

TEST_F(InterruptsTest, AReaderWhoArmsInterruptsNobody) {
  const Device device = add_published(0);
  const std::uint64_t calls = calls_while_nobody_arms(device);
  std::printf("%d arms: %llu function calls\n", kArms, static_cast<unsigned long long>(calls));
  EXPECT_LT(calls, kArms / 4u);
}

TEST_F(InterruptsTest, ArmsInterruptPublishersOfADeviceWhoseOwnerChoseSo) {
  const Device device = add_published(EVRING_DEVICE_ARM_IPI);
  EXPECT_GT(calls_while_nobody_arms(device), kArms / 2u) << "some ride on the same interrupt";
}

TEST_F(InterruptsTest, WhoRegistersInterruptsNobody) {
  Device device = add_published(0, EVRING_MODE_GATED);
  const std::uint64_t before = function_calls();
  for (int i = 0; i < kRegistrations; ++i) {
    const evring_register request{sizeof(request), 0, EVRING_START_NEWEST, 0, 0};
    ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_REGISTER, &request), 0);
    ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_UNREGISTER), 0);
  }
  EXPECT_LT(function_calls() - before, kRegistrations / 4u);
}

}  // namespace
}  // namespace evring::kernel_test
