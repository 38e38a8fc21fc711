// SPDX-License-Identifier: MIT
// Reading in place: one event, a burst; what was overwritten meanwhile is not kept.
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::publish_numbered;

TEST(VisitTest, VisitsInPlace) {
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

TEST(VisitTest, DiscardsAVisitThatWasOverwritten) {
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

TEST(VisitTest, VisitsABurstInPlace) {
  expect_bursts_in_place([](Consumer& consumer, std::size_t count_max, auto& kept) {
    return consumer.visit_burst(count_max, sequence_of_whole,
                                [&](std::uint64_t sequence) { kept.push_back(sequence); });
  });
}

TEST(VisitTest, VisitsABurstAtOnce) {
  expect_bursts_in_place([](Consumer& consumer, std::size_t count_max, auto& kept) {
    return consumer.visit_burst(count_max,
                                [&](const auto& view) { kept.push_back(sequence_of_whole(view)); });
  });
}

TEST(VisitTest, KeepsNoVisitOfABurstThatWasOverwritten) {
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

TEST(VisitTest, VisitsNothingThatTheWriteLimitHasPassed) {
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

TEST(VisitTest, DiscardsABurstWhoseOldestEventWasOverwritten) {
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

TEST(VisitTest, ABurstEndsWhereTheProducerLappedIt) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  publish_numbered(producer, 5);  // event 0 is gone
  Consumer consumer(ring.mapping(), StartAt::kSequence, 0);
  const Burst burst = consumer.visit_burst(4, [](const auto&) { FAIL() << "event 0 is gone"; });
  EXPECT_EQ(burst.count, 0u);
  EXPECT_EQ(burst.status, ReadStatus::kOverrun);
  EXPECT_EQ(consumer.resync(), 1u);
}

}  // namespace
}  // namespace evring
