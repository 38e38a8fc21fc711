// SPDX-License-Identifier: MIT
// The mutex list that evring is compared with: a fair baseline must itself be right.
#include <gtest/gtest.h>

#include <bench/peers/mutex_list.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace evring::peers {
namespace {

using Device = MutexDevice<std::uint64_t>;

TEST(MutexDeviceTest, GivesEventsBackInOrder) {
  Device device("first");
  for (std::uint64_t value = 0; value < 10; ++value) ASSERT_TRUE(device.inject(value));
  for (std::uint64_t value = 0; value < 10; ++value) {
    std::uint64_t got = ~value;
    ASSERT_TRUE(device.get(got));
    EXPECT_EQ(got, value);
  }
  std::uint64_t got = 0;
  EXPECT_FALSE(device.get(got));
  EXPECT_EQ(device.injected(), 10u);
  EXPECT_EQ(device.got(), 10u);
  EXPECT_EQ(device.waiting(), 0u);
}

TEST(MutexDeviceTest, TakesBurstsAcrossBursts) {
  Device device("first");
  const std::array<std::uint64_t, 5> offered{0, 1, 2, 3, 4};
  EXPECT_EQ(device.inject_burst(offered), 5u);
  std::array<std::uint64_t, 3> out{};
  EXPECT_EQ(device.get_burst(out), 3u);
  EXPECT_EQ(out, (std::array<std::uint64_t, 3>{0, 1, 2}));
  EXPECT_TRUE(device.inject(5));
  EXPECT_EQ(device.get_burst(out), 3u);
  EXPECT_EQ(out, (std::array<std::uint64_t, 3>{3, 4, 5}));
  EXPECT_EQ(device.get_burst(out), 0u);
  EXPECT_EQ(device.inject_burst({}), 0u);
  EXPECT_EQ(device.get_burst({}), 0u);
}

TEST(MutexDeviceTest, RefusesAndCountsWhatDoesNotFit) {
  Device device("first", 4);
  const std::array<std::uint64_t, 6> offered{0, 1, 2, 3, 4, 5};
  EXPECT_EQ(device.inject_burst(offered), 4u);
  EXPECT_FALSE(device.inject(6));
  EXPECT_EQ(device.refused(), 3u);
  EXPECT_EQ(device.offered(), 7u);
  std::array<std::uint64_t, 6> out{};
  ASSERT_EQ(device.get_burst(out), 4u);
  EXPECT_EQ(out[3], 3u);
  EXPECT_TRUE(device.inject(7));
}

TEST(MutexDeviceTest, FreesWhatNobodyGot) {
  const auto token = std::make_shared<int>(0);
  {
    MutexDevice<std::shared_ptr<int>> device("first", 2);
    const std::array<std::shared_ptr<int>, 3> offered{token, token, token};
    EXPECT_EQ(device.inject_burst(offered), 2u);
    EXPECT_EQ(token.use_count(), 1 + 3 + 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(MutexDeviceTest, KeepsItsBalanceUnderConcurrentInjectors) {
  constexpr std::uint64_t kInjectors = 3;
  constexpr std::uint64_t kEventsEach = 20'000;
  Device device("shared", 512);
  std::vector<std::thread> injectors;
  for (std::uint64_t injector = 0; injector < kInjectors; ++injector) {
    injectors.emplace_back([&device, injector] {
      for (std::uint64_t i = 0; i < kEventsEach; ++i) device.inject(injector << 32 | i);
    });
  }
  std::array<std::uint64_t, kInjectors> next{};
  std::uint64_t received = 0;
  const auto drain = [&] {
    std::array<std::uint64_t, 32> out{};
    const std::size_t count = device.get_burst(out);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t& expected = next.at(out[i] >> 32);
      EXPECT_GE(out[i] & 0xffffffff, expected) << "order within one injector";
      expected = (out[i] & 0xffffffff) + 1;
    }
    received += count;
    return count;
  };
  while (device.offered() < kInjectors * kEventsEach) drain();
  for (std::thread& injector : injectors) injector.join();
  while (drain() != 0) {
  }
  EXPECT_EQ(device.offered(), kInjectors * kEventsEach);
  EXPECT_EQ(device.injected(), received);
  EXPECT_EQ(device.got(), received);
}

TEST(MutexDeviceListTest, FindsAndRemovesByName) {
  MutexDeviceList<std::uint64_t> devices;
  const auto first = devices.add("first");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(devices.add("first"), nullptr) << "the name is taken";
  ASSERT_NE(devices.add("second"), nullptr);
  EXPECT_EQ(devices.count(), 2u);
  EXPECT_EQ(devices.find("first"), first);
  EXPECT_EQ(devices.find("third"), nullptr);
  EXPECT_TRUE(devices.remove("first"));
  EXPECT_FALSE(devices.remove("first"));
  EXPECT_TRUE(first->inject(1)) << "who found it keeps it";
}

}  // namespace
}  // namespace evring::peers
