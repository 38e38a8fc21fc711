// SPDX-License-Identifier: MIT
// Rings that the machine has no room for; in a guest of its own with little memory, too.
#include <fstream>
#include <string>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

std::uint64_t oom_kills() {
  std::ifstream file("/proc/vmstat");
  std::string name;
  for (std::uint64_t value; file >> name >> value;) {
    if (name == "oom_kill") return value;
  }
  throw std::runtime_error("no oom_kill in /proc/vmstat");
}

class MemoryTest : public DeviceTest {};

TEST_F(MemoryTest, ARingThatDoesNotFitFailsAndEndsNoProgram) {
  const std::uint64_t before = oom_kills();
  evring_device_config config = soft_config("large");
  int error = 0;
  for (config.slot_count = 1 << 14; error == 0; config.slot_count *= 2) {
    ASSERT_LT(config.slot_count, EVRING_SLOT_COUNT_MAX);
    config.device_id = 0;
    error = ioctl_errno(control_.get(), EVRING_IOC_ADD, &config);
    if (error == 0) {
      EXPECT_EQ(remove("large"), 0);
    }
  }
  EXPECT_EQ(error, ENOMEM);
  EXPECT_EQ(oom_kills(), before);
}

}  // namespace
}  // namespace evring::kernel_test
