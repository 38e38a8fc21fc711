// SPDX-License-Identifier: MIT
// Sequences that wrap, in bursts of every size: at 2^32, at 2^63, where the stamp wraps
// and a sign changes, and at 2^64. Nothing is lost, doubled or made up on the way.
#include <evring/group.hpp>
#include <evring/group_member.hpp>
#include <evring/sequence.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::event_numbered;

constexpr std::uint64_t kSlotCount = 64;
constexpr int kBurstCount = 20;

TEST(SequenceTest, OrdersAcrossEveryWrap) {
  for (const std::uint64_t edge :
       {std::uint64_t{1} << 32, std::uint64_t{1} << 63, std::uint64_t{0}}) {
    const Sequence before = edge - 3;
    const Sequence after = edge + 4;
    EXPECT_TRUE(after.is_after(before) && before.is_before(after));
    EXPECT_FALSE(after.is_before(before) || before.is_after(after) || before.is_after(before));
    EXPECT_EQ(after.distance_from(before), 7);
    EXPECT_EQ(before.distance_from(after), -7);
    EXPECT_EQ(after.count_from(before), 7u);
    EXPECT_EQ(before.count_from(after), 0u);
    EXPECT_EQ(later(before, after), edge + 4);
    EXPECT_EQ(earlier(before, after), edge - 3);
  }
}

TEST(SequenceTest, FindsTheOldestThatARingCanHold) {
  const std::uint64_t first = ~std::uint64_t{0} - 2;
  EXPECT_EQ(oldest_sequence(first, first, first, 8), first) << "nothing was published";
  EXPECT_EQ(oldest_sequence(first, first + 8, first + 8, 8), first);
  EXPECT_EQ(oldest_sequence(first, first + 9, first + 9, 8), first + 1);
  EXPECT_EQ(oldest_sequence(first, first + 12, first + 9, 8), first + 4) << "written ahead";
  EXPECT_EQ(oldest_sequence(first, first + 90, first + 9, 8), first + 9) << "no later than head";
}

using Edge = std::tuple<std::uint64_t, int, Mode>;

class WrapBurstTest : public ::testing::TestWithParam<Edge> {
 protected:
  /// Publishes bursts across the edge; `take` gives what there is, the next call nothing.
  template <class Take>
  void cross(Producer& producer, Take take) {
    const auto burst = static_cast<std::size_t>(std::get<int>(GetParam()));
    std::uint64_t expected = producer.next_sequence();
    for (int i = 0; i < kBurstCount; ++i) {
      std::vector<Event> events;
      for (std::size_t k = 0; k < burst; ++k) events.push_back(event_numbered(expected + k));
      ASSERT_EQ(producer.publish_batch(events), burst);
      const std::vector<Event> got = take(burst);
      ASSERT_EQ(got.size(), burst) << "burst " << i;
      for (const Event& event : got) {
        EXPECT_EQ(event.sequence, expected++);
        EXPECT_TRUE(testing::is_whole(event));
      }
      for (int look = 0; look < 3; ++look) {
        ASSERT_EQ(take(burst).size(), 0u) << "events that were never published, burst " << i;
      }
    }
  }

  static LocalRing make_ring() {
    const auto [edge, burst, mode] = GetParam();
    const std::uint64_t before = 5 * static_cast<std::uint64_t>(burst) / 2;
    return LocalRing::anonymous(
        {.slot_count = kSlotCount, .mode = mode, .first_sequence = edge - before});
  }

  LocalRing ring_ = make_ring();
};

TEST_P(WrapBurstTest, GivesNoEventsOutOfNothing) {
  Producer producer(ring_, WhenFull::kRefuse);
  GatedConsumer consumer(ring_.mapping(), ring_.register_consumer(StartAt::kOldest));
  cross(producer, [&](std::size_t count) {
    std::vector<Event> events(count);
    events.resize(consumer.read_burst(events).count);
    return events;
  });
  EXPECT_TRUE(consumer.balance().balanced());
  EXPECT_EQ(consumer.received(), producer.published());
  EXPECT_EQ(producer.dropped(), 0u);
}

TEST_P(WrapBurstTest, ShowsNoEventsOutOfNothing) {
  Producer producer(ring_, WhenFull::kRefuse);
  GatedConsumer consumer(ring_.mapping(), ring_.register_consumer(StartAt::kOldest));
  cross(producer, [&](std::size_t count) {
    std::vector<Event> events(count);
    std::size_t seen = 0;
    consumer.visit_burst(count,
                         [&](const SlotView<DefaultSlot>& view) { view.copy_to(events[seen++]); });
    events.resize(seen);
    return events;
  });
  EXPECT_EQ(consumer.received(), producer.published());
}

TEST_P(WrapBurstTest, SharesNoEventsOutOfNothing) {
  Producer producer(ring_, WhenFull::kRefuse);
  GroupMember<DefaultSlot> member(Group::create(ring_, StartAt::kOldest));
  cross(producer, [&](std::size_t count) {
    std::vector<Event> events(count);
    events.resize(member.read_burst(std::span<Event>(events)).count);
    return events;
  });
  EXPECT_EQ(member.received(), producer.published());
}

TEST_P(WrapBurstTest, CountsWhatALappedConsumerLost) {
  const auto [edge, burst, mode] = GetParam();
  if (mode == Mode::kGated) return;
  Producer producer(ring_);
  Consumer consumer(ring_.mapping());
  std::vector<Event> events(static_cast<std::size_t>(burst));
  for (std::uint64_t i = 0; i < 3 * kSlotCount; ++i) {
    producer.publish(event_numbered(producer.next_sequence()));
  }
  for (Burst got = consumer.read_burst(events); got.status != ReadStatus::kEmpty;
       got = consumer.read_burst(events)) {
    if (got.status == ReadStatus::kOverrun) consumer.resync();
  }
  EXPECT_EQ(consumer.received() + consumer.lost(), 3 * kSlotCount);
  EXPECT_LE(consumer.received(), kSlotCount);
  EXPECT_EQ(consumer.cursor(), producer.next_sequence());
}

INSTANTIATE_TEST_SUITE_P(
    Edges, WrapBurstTest,
    ::testing::Combine(::testing::Values(std::uint64_t{1} << 32, std::uint64_t{1} << 63,
                                         (std::uint64_t{1} << 63) + 1000, std::uint64_t{0}),
                       ::testing::Values(1, 7, 16, 32, 64),
                       ::testing::Values(Mode::kOverwrite, Mode::kGated)));

}  // namespace
}  // namespace evring
