// SPDX-License-Identifier: MIT
// Nothing that a hostile member writes into the page of its group ends in a loop, or is
// read outside of the ring.
#include <array>
#include <cstdint>
#include <random>
#include <span>

#include "group_support.hpp"

namespace evring {
namespace {

using namespace group_test;

TEST(GroupHostileTest, ARecordOfWhatWasNeverPublishedIsNotRecovered) {
  LocalRing ring = make_ring(16);
  Producer producer(ring);
  const Group group = Group::create(ring);
  publish(producer, 4);
  constexpr std::uint64_t kEnd = 1ULL << 40;
  evring_group_page& page = group.page();
  store_relaxed(group_word(page.member[5].entry[0].to), kEnd);
  store_relaxed(group_word(page.confirmed[5]), kEnd);
  fetch_or(group_word(page.joined), 1ULL << 5);
  auto recovery = Recovery::begin(group);
  ASSERT_TRUE(recovery.has_value());
  EXPECT_EQ(recovery->from(), recovery->to());
  std::array<Event, 8> events;
  EXPECT_EQ(recovery->read_burst(events).status, ReadStatus::kEmpty);
}

TEST(GroupHostileTest, HostileRecordsEndInNoLoopAndNoReadOutside) {
  std::mt19937_64 random(20260101);
  for (unsigned round = 0; round < 200; ++round) {
    LocalRing ring = make_ring(16);
    Producer producer(ring);
    const Group group = Group::create(ring);
    Member member(group);
    publish(producer, 40);
    evring_group_page& page = group.page();
    auto* words = reinterpret_cast<std::uint64_t*>(&page.joined);
    constexpr std::size_t kFrom = EVRING_OFFSETOF(evring_group_page, joined);
    for (std::size_t i = 0; i < (sizeof(page) - kFrom) / 8; ++i) {
      if (random() % 2 == 0) store_relaxed(words + i, random() >> (random() % 64));
    }
    std::array<Event, 8> events;
    for (unsigned i = 0; i < 20; ++i)
      EXPECT_LE(member.read_burst(std::span<Event>(events)).count, 8u);
    for (unsigned i = 0; i < 70; ++i) {
      auto recovery = Recovery::begin(group);
      if (!recovery) break;
      for (unsigned k = 0; k < 10; ++k) EXPECT_LE(recovery->read_burst(events).count, 8u);
    }
    static_cast<void>(group.balance(10));
  }
}

}  // namespace
}  // namespace evring
