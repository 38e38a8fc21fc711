// SPDX-License-Identifier: MIT
// Reading: one, a burst; where to start; what an overrun costs, to the event.
#include <stdexcept>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::drain;
using testing::event_numbered;
using testing::is_whole;
using testing::publish_numbered;

TEST(ConsumerTest, ReadsWhatWasPublishedInOrder) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  Event event;
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kEmpty);
  for (std::uint64_t seq = 0; seq < 100; ++seq) {
    ASSERT_EQ(producer.publish(event_numbered(seq)), PublishStatus::kPublished);
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_EQ(event.sequence, seq);
    EXPECT_EQ(event.type, seq);
    EXPECT_EQ(event.length_bytes, 40u);
    EXPECT_GT(event.timestamp_ns, 0u);
    EXPECT_TRUE(is_whole(event));
  }
  EXPECT_EQ(consumer.received(), 100u);
  EXPECT_EQ(producer.published(), 100u);
}

TEST(ConsumerTest, ReportsOverrunWhenLapped) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping(), StartAt::kOldest);
  publish_numbered(producer, 5);  // event 4 overwrites event 0

  Event event{};
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kOverrun);
  EXPECT_EQ(consumer.resync(ResyncTo::kOldest), 1u) << "exactly event 0 is lost";
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_EQ(event.sequence, 1u);
  EXPECT_TRUE(is_whole(event));
}

TEST(ConsumerTest, LosesExactlyWhatWasOverwritten) {
  for (std::uint64_t count = 0; count <= 40; ++count) {
    const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
    Producer producer(ring);
    Consumer consumer(ring.mapping());
    publish_numbered(producer, count);
    const auto drained = drain(consumer);
    EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
    EXPECT_EQ(consumer.lost(), count > 8 ? count - 8 : 0) << count << " events into 8 slots";
    EXPECT_EQ(consumer.received() + consumer.lost(), count);
    EXPECT_EQ(consumer.overruns(), count > 8 ? 1u : 0u);
    EXPECT_TRUE(consumer.balance().balanced());
  }
}

TEST(ConsumerTest, ResyncsToTheNewest) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 20);
  Event event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kOverrun);
  EXPECT_EQ(consumer.resync(ResyncTo::kNewest), 20u);
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kEmpty);
  publish_numbered(producer, 1);
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_EQ(event.sequence, 20u);
  EXPECT_TRUE(consumer.balance().balanced());
}

TEST(ConsumerTest, KeepsAGrowingDistanceWhenOverrunsFollowOneAnother) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 32});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  Event event;
  std::vector<std::uint64_t> lags;
  for (int i = 0; i < 8; ++i) {
    publish_numbered(producer, 33);
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kOverrun);
    consumer.resync();
    lags.push_back(consumer.lag());
  }
  EXPECT_EQ(lags.front(), 32u);
  EXPECT_EQ(lags.back(), 16u) << "at most half of the ring is given up";
  EXPECT_TRUE(std::is_sorted(lags.rbegin(), lags.rend()));
  EXPECT_TRUE(consumer.balance().balanced());
}

TEST(ConsumerTest, ReadsBurstsAcrossTheEndOfTheRing) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 16});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  std::vector<Event> out(7);
  std::uint64_t expected = 0;
  for (int round = 0; round < 50; ++round) {
    publish_numbered(producer, 11);
    for (;;) {
      const Burst burst = consumer.read_burst(out);
      if (burst.count == 0) {
        EXPECT_EQ(burst.status, ReadStatus::kEmpty);
        break;
      }
      EXPECT_EQ(burst.status, ReadStatus::kEvent);
      for (std::size_t i = 0; i < burst.count; ++i) {
        EXPECT_EQ(out[i].sequence, expected++);
        EXPECT_TRUE(is_whole(out[i]));
      }
    }
  }
  EXPECT_EQ(expected, 550u);
}

TEST(ConsumerTest, BurstReportsAnOverrunWithTheNextCall) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  std::vector<Event> out(8);
  publish_numbered(producer, 9);
  const Burst burst = consumer.read_burst(out);
  EXPECT_EQ(burst.count, 0u);
  EXPECT_EQ(burst.status, ReadStatus::kOverrun);
  consumer.resync();
  EXPECT_EQ(consumer.read_burst(out).count, 4u);
}

/// What `read` does on an overrun leaves the account of overruns alone: each that follows
/// another without an event between resumes farther from the oldest event.
template <class Read>
void expect_growing_distance(Read read) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 64});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  std::vector<std::uint64_t> lags;
  for (int i = 0; i < 6; ++i) {
    publish_numbered(producer, 128);
    EXPECT_EQ(read(consumer), ReadStatus::kOverrun);
    consumer.resync();
    lags.push_back(consumer.lag());
  }
  std::vector<std::uint64_t> distances;
  for (const std::uint64_t lag : lags) distances.push_back(lags.front() - lag);
  EXPECT_EQ(distances, (std::vector<std::uint64_t>{0, 2, 4, 8, 16, 32}));
}

TEST(ConsumerTest, OverrunsInARowResumeFartherAway) {
  expect_growing_distance([](Consumer& consumer) {
    Event event;
    return consumer.try_read(event);
  });
  expect_growing_distance([](Consumer& consumer) {
    std::vector<Event> out(8);
    return consumer.read_burst(out).status;
  });
  expect_growing_distance(
      [](Consumer& consumer) { return consumer.visit([](const auto&) noexcept {}); });
  expect_growing_distance([](Consumer& consumer) {
    return consumer
        .visit_burst(
            8, [](const auto& view) { return view.sequence(); }, [](std::uint64_t) {})
        .status;
  });
  expect_growing_distance([](Consumer& consumer) {
    return consumer.visit_burst(8, [](const auto&) noexcept {}).status;
  });
}

TEST(ConsumerTest, StartsWhereAsked) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8, .first_sequence = 100});
  EXPECT_EQ(Consumer(ring.mapping(), StartAt::kOldest).cursor(), 100u);
  Producer producer(ring);
  publish_numbered(producer, 20);
  EXPECT_EQ(Consumer(ring.mapping(), StartAt::kOldest).cursor(), 112u);
  EXPECT_EQ(Consumer(ring.mapping(), StartAt::kNewest).cursor(), 120u);
  EXPECT_EQ(Consumer(ring.mapping(), StartAt::kSequence, 117).cursor(), 117u);
  EXPECT_EQ(Consumer(ring.mapping(), StartAt::kSequence, 120).cursor(), 120u);
  EXPECT_THROW(Consumer(ring.mapping(), StartAt::kSequence, 121), std::out_of_range);
  EXPECT_THROW(Consumer(ring.mapping(), StartAt::kSequence, 99), std::out_of_range);

  Consumer late(ring.mapping(), StartAt::kSequence, 103);
  drain(late);
  EXPECT_EQ(late.lost(), 9u);
  EXPECT_EQ(late.received(), 8u);
}

TEST(ConsumerTest, RefusesSlotsOfAnotherLayout) {
  const LocalRing ring = LocalRing::anonymous({.slot = slot_of<BareSlot64>()});
  EXPECT_THROW(Consumer(ring.mapping()), std::invalid_argument);
  EXPECT_THROW(Producer{ring}, std::invalid_argument);
  EXPECT_NO_THROW(BasicProducer<BareSlot64>{ring}) << "the refused one let go of the lock";
}

}  // namespace
}  // namespace evring
