// SPDX-License-Identifier: MIT
// The mutex list that evring is compared with: a fair baseline must itself be right.
#include <gtest/gtest.h>

#include <bench/contenders/mutex_list.hpp>

#include <array>
#include <cstdint>
#include <thread>
#include <vector>

namespace evring::bench {
namespace {

using List = MutexList<std::uint64_t>;

TEST(MutexListTest, GivesEventsBackInOrder) {
  List list(16);
  for (std::uint64_t value = 0; value < 10; ++value) ASSERT_TRUE(list.push(value));
  for (std::uint64_t value = 0; value < 10; ++value) {
    std::uint64_t got = ~value;
    ASSERT_TRUE(list.pop(got));
    EXPECT_EQ(got, value);
  }
  std::uint64_t got = 0;
  EXPECT_FALSE(list.pop(got));
}

TEST(MutexListTest, TakesBurstsAcrossBursts) {
  List list(16);
  const std::array<std::uint64_t, 5> offered{0, 1, 2, 3, 4};
  EXPECT_EQ(list.push(offered.data(), 5), 5u);
  std::array<std::uint64_t, 3> out{};
  EXPECT_EQ(list.pop(out.data(), 3), 3u);
  EXPECT_EQ(out, (std::array<std::uint64_t, 3>{0, 1, 2}));
  EXPECT_TRUE(list.push(5));
  EXPECT_EQ(list.pop(out.data(), 3), 3u);
  EXPECT_EQ(out, (std::array<std::uint64_t, 3>{3, 4, 5}));
  EXPECT_EQ(list.pop(out.data(), 3), 0u);
  EXPECT_EQ(list.push(nullptr, 0), 0u);
}

TEST(MutexListTest, TakesWhatHasRoomAndRefusesTheRest) {
  List list(4);
  const std::array<std::uint64_t, 6> offered{0, 1, 2, 3, 4, 5};
  EXPECT_EQ(list.push(offered.data(), 6), 4u);
  EXPECT_FALSE(list.push(6));
  std::array<std::uint64_t, 6> out{};
  ASSERT_EQ(list.pop(out.data(), 6), 4u);
  EXPECT_EQ(out[3], 3u);
  EXPECT_TRUE(list.push(7));
}

TEST(MutexListTest, LosesNothingBetweenThreads) {
  constexpr std::uint64_t kEach = 20'000;
  List list(64);
  std::vector<std::jthread> producers;
  for (int i = 0; i < 2; ++i) {
    producers.emplace_back([&list] {
      for (std::uint64_t value = 1; value <= kEach; ++value) {
        while (!list.push(value)) std::this_thread::yield();
      }
    });
  }
  std::uint64_t sum = 0;
  for (std::uint64_t count = 0; count < 2 * kEach;) {
    std::array<std::uint64_t, 8> out{};
    const std::size_t taken = list.pop(out.data(), out.size());
    for (std::size_t i = 0; i < taken; ++i) sum += out[i];
    count += taken;
    if (taken == 0) std::this_thread::yield();
  }
  EXPECT_EQ(sum, kEach * (kEach + 1));
}

}  // namespace
}  // namespace evring::bench
