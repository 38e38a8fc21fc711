// SPDX-License-Identifier: MIT
// Rings that the machine has no room for; in a guest of its own with little memory, too.
#include <bit>
#include <fstream>
#include <string>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

/// The number that follows `label` in a file of /proc.
std::uint64_t number_after(const std::string& path, const std::string& label) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    if (std::uint64_t value; word == label && file >> value) return value;
  }
  throw std::runtime_error("no " + label + " in " + path);
}

std::uint64_t oom_kills() { return number_after("/proc/vmstat", "oom_kill"); }
std::uint64_t memory_kib(const std::string& label) {
  return number_after("/proc/meminfo", label + ":");
}

class MemoryTest : public DeviceTest {
 protected:
  int add_errno(const std::string& name, std::uint64_t slot_count) {
    evring_device_config config = soft_config(name);
    config.slot_count = slot_count;
    return ioctl_errno(control_.get(), EVRING_IOC_ADD, &config);
  }
};

TEST_F(MemoryTest, ARingThatDoesNotFitFailsAndEndsNoProgram) {
  const std::uint64_t before = oom_kills();
  int error = 0;
  for (std::uint64_t slot_count = 1 << 14; error == 0; slot_count *= 2) {
    ASSERT_LT(slot_count, EVRING_SLOT_COUNT_MAX);
    error = add_errno("large", slot_count);
    if (error == 0) {
      EXPECT_EQ(remove("large"), 0);
    }
  }
  EXPECT_EQ(error, ENOMEM);
  EXPECT_EQ(oom_kills(), before);
}

TEST_F(MemoryTest, RingsLeaveAReserveForOthers) {
  const std::uint64_t reserve_kib = memory_kib("MemTotal") / 32;
  const std::uint64_t slot_count = std::bit_floor(reserve_kib * 1024 / 4 / 64);
  int error = 0;
  int count = 0;
  while (error == 0) {
    error = add_errno("ring" + std::to_string(count), slot_count);
    if (error == 0) ++count;
  }
  // No file cache here that could be given up.
  const std::uint64_t free_kib = memory_kib("MemFree");
  while (count-- > 0) EXPECT_EQ(remove("ring" + std::to_string(count)), 0);
  EXPECT_EQ(error, ENOMEM);
  EXPECT_GT(free_kib, reserve_kib * 9 / 10) << "of " << memory_kib("MemTotal") << " KiB";
}

}  // namespace
}  // namespace evring::kernel_test
