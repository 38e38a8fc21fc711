// SPDX-License-Identifier: MIT
// What devices, descriptors and commands take is given back: memory, places in a count, and
// the share of the limit on all rings. Hundreds of rounds, and bounds far from what else a
// quiet guest does.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "device_fixture.hpp"
#include "uring_client.hpp"

namespace evring::kernel_test {
namespace {

constexpr std::uint64_t kMib = 1 << 20;

std::uint64_t free_memory_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::string unit;
  for (std::uint64_t kib; file >> name >> kib;) {
    if (name == "MemFree:") return kib * 1024;
    std::getline(file, unit);
  }
  throw std::runtime_error("no MemFree in /proc/meminfo");
}

/// Objects in use of each size that kmalloc() gives out.
std::map<std::string, std::int64_t> kernel_objects() {
  std::map<std::string, std::int64_t> objects;
  std::ifstream file("/proc/slabinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t active;
    if (words >> name >> active && name.starts_with("kmalloc-")) objects[name] = active;
  }
  return objects;
}

/// Another limit on the memory of all rings, for its life.
class MemoryLimit {
 public:
  explicit MemoryLimit(unsigned mib) : file_("/sys/module/evring/parameters/memory_limit_mib") {
    file_ >> before_;
    set(mib);
  }
  ~MemoryLimit() { set(before_); }

 private:
  void set(unsigned mib) {
    file_.seekp(0);
    file_ << mib << std::flush;
    EXPECT_TRUE(file_.good());
  }

  std::fstream file_;
  unsigned before_ = 0;
};

class GivenBackTest : public DeviceTest {
 protected:
  /// errno of adding a ring whose slots take `slots_bytes`.
  int add_errno(const std::string& name, std::uint64_t slots_bytes,
                std::uint32_t mode = EVRING_MODE_OVERWRITE) {
    evring_device_config config = soft_config(name);
    config.slot_count = slots_bytes / config.slot_bytes;
    config.mode = mode;
    return ioctl_errno(control_.get(), EVRING_IOC_ADD, &config);
  }
};

TEST_F(GivenBackTest, TheMemoryOfRingsThatWereRemoved) {
  constexpr int kRounds = 100;
  const auto round = [&] {
    ASSERT_EQ(add_errno("ring", kMib), 0);
    const Mapping mapping = Device::open("ring").map();
    ASSERT_EQ(remove("ring"), 0);
  };
  round();
  const std::uint64_t before = free_memory_bytes();
  for (int i = 0; i < kRounds; ++i) round();
  EXPECT_TRUE(eventually([&] { return free_memory_bytes() + kRounds / 2 * kMib > before; }))
      << before / kMib << " MiB were free, " << free_memory_bytes() / kMib << " are";
}

TEST_F(GivenBackTest, TheShareOfTheLimitOnAllRings) {
  const MemoryLimit limit(4);
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(add_errno("first", 2 * kMib), 0) << "round " << round;
    EXPECT_EQ(add_errno("second", 2 * kMib), ENOMEM) << "with their headers both are too much";
    EXPECT_EQ(add_errno("second", kMib), 0) << "what was refused takes nothing";
    EXPECT_EQ(remove("first"), 0);
    EXPECT_EQ(add_errno("first", 4 * kMib), ENOMEM);
    EXPECT_EQ(remove("second"), 0);
  }
}

TEST_F(GivenBackTest, AUsersDescriptors) {
  const Device device = add();
  for (int i = 0; i < 2 * EVRING_OPEN_COUNT_MAX; ++i) {
    ASSERT_NO_THROW(Device::open(device.name())) << i;
  }
}

TEST_F(GivenBackTest, AUsersCommands) {
  Device device = add();
  inject(device, 1);
  UringClient uring;
  for (int i = 0; i < 2 * EVRING_COMMAND_COUNT_MAX; ++i) {
    uring.arm(device.fd(), {0, 0, 1, 10000}, 1);
    const auto completion = uring.wait();
    ASSERT_TRUE(completion.has_value());
    ASSERT_EQ(completion->result, 1) << i;
  }
}

TEST_F(GivenBackTest, EveryObjectOfTheKernel) {
  constexpr int kRounds = 1000;
  constexpr int kNoise = 700;  // 200 were seen
  UringClient uring;
  const auto round = [&] {
    ASSERT_EQ(add_errno("ring", 4096, EVRING_MODE_GATED), 0);
    {
      Device device = Device::open("ring", Device::Access::kReadWrite);
      const DeviceCursor cursor = device.register_cursor(StartAt::kOldest);
      arm(device, {0, 0, 1, 10000});
      uring.arm(device.fd(), {0, 0, 1, 10000}, 1);
      inject(device, 2);
      ASSERT_TRUE(uring.wait().has_value());
      char text[40];
      ASSERT_GT(::read(device.fd(), text, sizeof(text)), 0);
    }
    ASSERT_EQ(remove("ring"), 0);
  };
  for (int i = 0; i < 100; ++i) round();
  const auto before = kernel_objects();
  for (int i = 0; i < kRounds; ++i) round();
  // What waits for a grace period, and halves of slabs that were full, come and go.
  EXPECT_TRUE(eventually([&] {
    const auto after = kernel_objects();
    return std::all_of(after.begin(), after.end(), [&](const auto& entry) {
      return entry.second < before.at(entry.first) + kNoise;
    });
  }));
  for (const auto& [name, count] : kernel_objects()) {
    EXPECT_LT(count, before.at(name) + kNoise) << name;
  }
}

}  // namespace
}  // namespace evring::kernel_test
