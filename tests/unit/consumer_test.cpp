// SPDX-License-Identifier: MIT
// Publishing and reading: one, a batch, in place; where to start; what an overrun
// costs, to the event.
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

TEST(ConsumerTest, VisitsInPlace) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 3);
  for (std::uint64_t seq = 0; seq < 3; ++seq) {
    const ReadStatus status = consumer.visit([seq](const SlotView<DefaultSlot>& view) {
      EXPECT_EQ(view.sequence(), seq);
      EXPECT_EQ(view.type(), seq);
      EXPECT_EQ(view.length_bytes(), 40u);
      for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(view.word(i), testing::payload_word(seq, i));
      }
    });
    EXPECT_EQ(status, ReadStatus::kEvent);
  }
  EXPECT_EQ(consumer.visit([](const auto&) { FAIL() << "nothing is there"; }), ReadStatus::kEmpty);
}

TEST(ConsumerTest, DiscardsAVisitThatWasOverwritten) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 1);
  const ReadStatus status = consumer.visit([&](const auto&) { publish_numbered(producer, 4); });
  EXPECT_EQ(status, ReadStatus::kOverrun);
  EXPECT_EQ(consumer.cursor(), 0u);
  EXPECT_EQ(consumer.received(), 0u);
  EXPECT_EQ(consumer.resync(), 1u);
}

/// `visit(consumer, count_max, kept)` reads a burst and adds its sequences to `kept`.
template <class Visit>
void expect_bursts_in_place(Visit visit) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 5);
  std::vector<std::uint64_t> kept;
  EXPECT_EQ(visit(consumer, 3, kept).count, 3u);
  const Burst rest = visit(consumer, 8, kept);
  EXPECT_EQ(rest.count, 2u);
  EXPECT_EQ(rest.status, ReadStatus::kEvent);
  EXPECT_EQ(kept, (std::vector<std::uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(visit(consumer, 8, kept).status, ReadStatus::kEmpty);
  EXPECT_TRUE(consumer.balance().balanced());
  EXPECT_EQ(consumer.received(), 5u);
}

std::uint64_t sequence_of_whole(const SlotView<DefaultSlot>& view) {
  EXPECT_EQ(view.word(1), testing::payload_word(view.sequence(), 1));
  return view.sequence();
}

TEST(ConsumerTest, VisitsABurstInPlace) {
  expect_bursts_in_place([](Consumer& consumer, std::size_t count_max, auto& kept) {
    return consumer.visit_burst(count_max, sequence_of_whole,
                                [&](std::uint64_t sequence) { kept.push_back(sequence); });
  });
}

TEST(ConsumerTest, VisitsABurstAtOnce) {
  expect_bursts_in_place([](Consumer& consumer, std::size_t count_max, auto& kept) {
    return consumer.visit_burst(count_max,
                                [&](const auto& view) { kept.push_back(sequence_of_whole(view)); });
  });
}

TEST(ConsumerTest, KeepsNoVisitOfABurstThatWasOverwritten) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 4);
  std::vector<std::uint64_t> kept;
  const auto look = [&](const SlotView<DefaultSlot>& view) {
    if (view.sequence() == 2) publish_numbered(producer, 3);  // laps 0, 1 and 2
    return view.sequence();
  };
  const auto keep = [&](std::uint64_t sequence) { kept.push_back(sequence); };
  EXPECT_EQ(consumer.visit_burst(4, look, keep).count, 2u);
  EXPECT_EQ(kept, (std::vector<std::uint64_t>{0, 1}));
  const Burst lapped = consumer.visit_burst(4, look, keep);
  EXPECT_EQ(lapped.count, 0u);
  EXPECT_EQ(lapped.status, ReadStatus::kOverrun);
  EXPECT_EQ(consumer.resync(), 1u);
  EXPECT_TRUE(consumer.balance().balanced());
}

TEST(ConsumerTest, VisitsNothingThatTheWriteLimitHasPassed) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 64});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 65);  // event 1 is still there, and given up
  ASSERT_EQ(ring.mapping().header()->write_limit, 66u);
  EXPECT_EQ(consumer.resync(), 2u);
  Consumer early(ring.mapping(), StartAt::kSequence, 1);
  ASSERT_TRUE(early.has_work());
  bool kept = false;
  const Burst lapped = early.visit_burst(
      8, [](const auto& view) { return view.sequence(); }, [&](std::uint64_t) { kept = true; });
  EXPECT_EQ(lapped.status, ReadStatus::kOverrun);
  EXPECT_FALSE(kept);
  EXPECT_EQ(early.resync(), 1u);
}

TEST(ConsumerTest, DiscardsABurstWhoseOldestEventWasOverwritten) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 4);
  const Burst burst = consumer.visit_burst(4, [&](const SlotView<DefaultSlot>& view) {
    if (view.sequence() == 3) publish_numbered(producer, 1);  // laps 0 alone
  });
  EXPECT_EQ(burst.count, 0u);
  EXPECT_EQ(burst.status, ReadStatus::kOverrun);
  EXPECT_EQ(consumer.cursor(), 0u);
  EXPECT_EQ(consumer.received(), 0u);
  EXPECT_EQ(consumer.resync(), 1u);
  EXPECT_EQ(consumer.visit_burst(4, [](const auto&) {}).count, 4u);
  EXPECT_TRUE(consumer.balance().balanced());
}

TEST(ConsumerTest, ABurstEndsWhereTheProducerLappedIt) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  publish_numbered(producer, 5);  // event 0 is gone
  Consumer consumer(ring.mapping(), StartAt::kSequence, 0);
  const Burst burst = consumer.visit_burst(4, [](const auto&) { FAIL() << "event 0 is gone"; });
  EXPECT_EQ(burst.count, 0u);
  EXPECT_EQ(burst.status, ReadStatus::kOverrun);
  EXPECT_EQ(consumer.resync(), 1u);
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

TEST(ProducerTest, PublishesABatchLargerThanTheRing) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  std::vector<Event> events;
  for (std::uint64_t seq = 0; seq < 23; ++seq) events.push_back(event_numbered(seq));
  EXPECT_EQ(producer.publish_batch(events), 23u);
  EXPECT_EQ(consumer.head(), 23u);
  EXPECT_EQ(drain(consumer).torn, 0u);
  EXPECT_EQ(consumer.lost(), 19u);
}

TEST(ProducerTest, ShowsNothingOfAReservationBeforeItsCommit) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  auto reservation = producer.reserve(3);
  ASSERT_EQ(reservation.count(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) {
    for (std::size_t word = 0; word < 5; ++word) {
      reservation.set_word(i, word, testing::payload_word(reservation.sequence(i), word));
    }
    reservation.set_type(i, 7, 24);
  }
  Event event;
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kEmpty);
  EXPECT_EQ(consumer.head(), 0u);
  reservation.commit();
  for (std::uint64_t seq = 0; seq < 3; ++seq) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_EQ(event.type, 7u);
    EXPECT_EQ(event.length_bytes, 24u);
    EXPECT_TRUE(is_whole(event));
  }
}

TEST(ProducerTest, CutsALengthPastThePayload) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  Event event = event_numbered(0);
  event.length_bytes = 4000;
  producer.publish(event);
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_EQ(event.length_bytes, 40u);
  const auto* slot = reinterpret_cast<const std::uint64_t*>(ring.mapping().slots());
  EXPECT_EQ(load_relaxed(slot + 2) >> 32, 40u) << "not only by who reads it";
}

TEST(ProducerTest, IsTheOnlyOneOfItsRing) {
  const LocalRing ring = LocalRing::anonymous();
  {
    const Producer producer(ring);
    EXPECT_THROW(Producer{ring}, std::system_error);
    const int status = testing::run_child([&] {
      try {
        const Producer second(ring);
      } catch (const std::system_error& error) {
        return error.code().value() == EBUSY;
      }
      return false;
    });
    EXPECT_EQ(status, 0) << "a fork is refused as well";
  }
  EXPECT_NO_THROW(Producer{ring});
}

}  // namespace
}  // namespace evring
