// SPDX-License-Identifier: MIT
// Many sleepers at one doorbell: each is woken when it is due, none is forgotten, and an
// interrupt that wakes nobody costs the same however many there are.
#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include "device_fixture.hpp"
#include "uring_client.hpp"

namespace evring::kernel_test {
namespace {

using std::chrono::milliseconds;

constexpr int kCommandsPerDescriptor = 16;

class SleepersTest : public DeviceTest {
 protected:
  static std::vector<Device> open_many(const Device& device, std::size_t count) {
    std::vector<Device> opened;
    while (opened.size() < count) opened.push_back(Device::open(device.name()));
    return opened;
  }
  /// What one tick of a timer costs: the best of many short stretches. Each takes the time over
  /// more ticks than it counts, so that one whose test waited for its CPU looks dear, not cheap.
  static double tick_ns(Device& device) {
    double best = 1e9;
    for (int stretch = 0; stretch < 60; ++stretch) {
      const std::uint64_t publish_ns = attribute(device.name(), "publish_ns");
      const std::uint64_t head = device.info().head;
      eventually([&] { return device.info().head >= head + 20; });
      const auto ticks = static_cast<double>(device.info().head - head);
      const std::uint64_t spent_ns = attribute(device.name(), "publish_ns") - publish_ns;
      best = std::min(best, static_cast<double>(spent_ns) / ticks);
    }
    return best;
  }
};

TEST_F(SleepersTest, OneEventWakesEveryOneOfAThousand) {
  Device device = add();
  const std::vector<Device> descriptors = open_many(device, 60);
  UringClient uring;
  for (const Device& descriptor : descriptors) {
    arm(descriptor, {0, 0, 1, 10000});
    for (int i = 0; i < kCommandsPerDescriptor; ++i)
      uring.arm(descriptor.fd(), {0, 0, 1, 10000}, 1);
  }
  ASSERT_TRUE(eventually([&] { return attribute(device.name(), "armed_count") == 60 * 17; }));
  inject(device, 1);
  for (const Device& descriptor : descriptors) EXPECT_TRUE(has_rung(descriptor, 10000));
  for (int i = 0; i < 60 * kCommandsPerDescriptor; ++i) {
    const auto completion = uring.wait();
    ASSERT_TRUE(completion.has_value()) << i;
    ASSERT_EQ(completion->result, 1);
  }
  EXPECT_EQ(attribute(device.name(), "armed_count"), 0u);
  EXPECT_EQ(device.info().doorbells_rung, 60u * 17u);
}

TEST_F(SleepersTest, EachIsWokenWithItsOwnWatermarkAcrossEveryWrap) {
  for (const std::uint64_t wrap : {1ULL << 32, 1ULL << 63, 0ULL}) {
    Device device = add([&](auto& c) {
      c.slot_count = 256;
      c.first_sequence = wrap - 100;
    });
    std::vector<Device> descriptors = open_many(device, 100);
    std::shuffle(descriptors.begin(), descriptors.end(), std::mt19937_64(wrap));
    for (std::uint16_t i = 0; i < 100; ++i) {
      arm(descriptors[i], {wrap - 100, 10000000, static_cast<std::uint16_t>(2 * i + 1), 10000});
    }
    for (std::uint64_t published = 1; published < 200; ++published) {
      inject(device, 1);
      for (std::uint64_t i = 0; i < 100; ++i) {
        ASSERT_EQ(has_rung(descriptors[i]), published >= 2 * i + 1)
            << "watermark " << 2 * i + 1 << " after " << published << " before " << wrap;
      }
    }
    EXPECT_EQ(device.info().doorbells_rung, 100u);
    EXPECT_EQ(device.info().doorbells_suppressed, 198u) << "all but the last left one waiting";
    ASSERT_EQ(remove(device.name()), 0);
  }
}

TEST_F(SleepersTest, CursorsFromNowhereDelayNobody) {
  Device device = add([](auto& c) { c.first_sequence = 1000; });
  std::vector<Device> liars = open_many(device, 8);
  const Device honest = Device::open(device.name());
  int next = 0;
  for (const std::uint64_t distance :
       {1ULL << 62, (1ULL << 62) + 1, (1ULL << 63) - 1, 1ULL << 63, (1ULL << 63) - 65536}) {
    arm(liars[next++], {1000 + distance, 0, 1, 10000});
  }
  const Device behind = Device::open(device.name());
  arm(behind, {1000 - (1ULL << 62), 0, 1, 10000});
  EXPECT_TRUE(has_rung(behind, 10000)) << "has its events already";
  arm(honest, {1000, 10000000, 4, 10000});
  inject(device, 3);
  EXPECT_FALSE(has_rung(honest));
  inject(device, 1);
  EXPECT_TRUE(has_rung(honest, 10000));
  EXPECT_EQ(device.info().doorbells_rung, 2u);
  EXPECT_EQ(attribute(device.name(), "armed_count"), 5u);
}

TEST_F(SleepersTest, ATickThatWakesNobodyCostsTheSameForTheMostArms) {
  Device device = add([](evring_device_config& c) {
    const std::string name = c.name;
    c = timer_config(name, 2000, 1);
    c.slot_count = 65536;
    c.home_cpu = 1;
  });
  const double without_ns = tick_ns(device);
  const std::vector<Device> descriptors = open_many(device, EVRING_OPEN_COUNT_MAX - 1);
  UringClient uring;
  for (const Device& descriptor : descriptors) {
    const evring_arm request{device.info().head, 10000000, 65535, 10000};
    arm(descriptor, request);
    const auto index = static_cast<std::size_t>(&descriptor - descriptors.data());
    if (index >= EVRING_COMMAND_COUNT_MAX / kCommandsPerDescriptor) continue;
    for (int i = 0; i < kCommandsPerDescriptor; ++i) uring.arm(descriptor.fd(), request, 1);
  }
  constexpr std::uint64_t kArms = EVRING_OPEN_COUNT_MAX - 1 + EVRING_COMMAND_COUNT_MAX;
  const double with_ns = tick_ns(device);
  std::printf("a tick: %.0f ns with nobody armed, %.0f with %llu arms\n", without_ns, with_ns,
              static_cast<unsigned long long>(kArms));
  EXPECT_EQ(attribute(device.name(), "armed_count"), kArms) << "no doorbell, measured in time";
  EXPECT_LT(with_ns, 3 * without_ns);
}

}  // namespace
}  // namespace evring::kernel_test
