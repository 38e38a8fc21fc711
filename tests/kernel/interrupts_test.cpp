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
constexpr int kRegistrations = 100;
constexpr int kLooks = 20;  // the kernel's own calls only add: the least of so many tells

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

  static bool is_ever_below(std::uint64_t limit, const std::function<std::uint64_t()>& count) {
    for (int look = 0; look < kLooks; ++look) {
      const std::uint64_t calls = count();
      if (calls < limit) return true;
      std::printf("%llu function calls, not below %llu\n", static_cast<unsigned long long>(calls),
                  static_cast<unsigned long long>(limit));
    }
    return false;
  }

  const OnCpu on_cpu_{0};
};

TEST_F(InterruptsTest, AReaderWhoArmsInterruptsNobody) {
  const Device device = add_published(0);
  EXPECT_TRUE(is_ever_below(kArms / 4, [&] { return calls_while_nobody_arms(device); }));
}

TEST_F(InterruptsTest, ArmsInterruptPublishersOfADeviceWhoseOwnerChoseSo) {
  const Device device = add_published(EVRING_DEVICE_ARM_IPI);
  EXPECT_GT(calls_while_nobody_arms(device), kArms / 2u) << "some ride on the same interrupt";
}

TEST_F(InterruptsTest, WhoRegistersInterruptsNobody) {
  Device device = add_published(0, EVRING_MODE_GATED);
  const auto calls_while_registering = [&] {
    const std::uint64_t before = function_calls();
    for (int i = 0; i < kRegistrations; ++i) {
      const evring_register request{sizeof(request), 0, EVRING_START_NEWEST, 0, 0};
      EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_REGISTER, &request), 0);
      EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_UNREGISTER), 0);
    }
    return function_calls() - before;
  };
  EXPECT_TRUE(is_ever_below(kRegistrations / 4, calls_while_registering));
}

}  // namespace
}  // namespace evring::kernel_test
