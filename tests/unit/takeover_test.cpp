// SPDX-License-Identifier: MIT
// A producer killed at every step of a publish: no consumer hangs or sees a torn
// event, and the next producer takes over under a new generation.
#include <csignal>
#include <optional>
#include <tuple>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::drain;
using testing::event_numbered;
using testing::publish_numbered;

/// Kills this process at the given occurrence of a step, once it is armed.
struct KillAt {
  static inline bool is_armed = false;
  static inline PublishStep step = PublishStep::kDeclared;
  static inline int countdown = 0;

  void operator()(PublishStep at) const noexcept {
    if (is_armed && at == step && --countdown == 0) ::kill(::getpid(), SIGKILL);
  }
};

using DoomedProducer = BasicProducer<DefaultSlot, KillAt>;

enum class Way { kPublish, kBatch, kReserve };
constexpr std::uint64_t kBatchCount = 4;

void offer(DoomedProducer& producer, Way way) {
  if (way == Way::kPublish) {
    publish_numbered(producer, kBatchCount);
  } else if (way == Way::kBatch) {
    std::vector<Event> events;
    for (std::uint64_t i = 0; i < kBatchCount; ++i) {
      events.push_back(event_numbered(producer.next_sequence() + i));
    }
    producer.publish_batch(events);
  } else {
    auto reservation = producer.reserve(kBatchCount);
    testing::fill_all(reservation);
    reservation.commit();
  }
}

class TakeoverTest
    : public ::testing::TestWithParam<std::tuple<PublishStep, Way, int, std::uint64_t>> {
 protected:
  /// Publishes `before` events, then dies in the middle of an offer.
  static bool die(const LocalRing& ring, std::uint64_t before) {
    const auto [step, way, occurrence, unused] = GetParam();
    DoomedProducer producer(ring);
    publish_numbered(producer, before);
    KillAt::step = step;
    KillAt::countdown = occurrence;
    KillAt::is_armed = true;
    for (int i = 0; i < 3; ++i) {
      offer(producer, way);
      producer.refresh_status();
    }
    KillAt::is_armed = false;
    return true;  // this way has no such step
  }
};

TEST_P(TakeoverTest, HangsNobodyTearsNothingAndBalances) {
  const auto [step, way, occurrence, before] = GetParam();
  LocalRing ring = LocalRing::anonymous({.slot_count = 8, .first_sequence = 60});
  Consumer steady(ring.mapping());
  const int status = testing::run_child([&, before = before] { return die(ring, before); });
  const bool has_step = way != Way::kReserve || step != PublishStep::kPayloadHalf;
  ASSERT_EQ(WIFSIGNALED(status), has_step);
  if (has_step) {
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
  }

  const auto between = drain(steady);
  EXPECT_EQ(between.torn + between.out_of_order, 0u);
  const std::uint64_t read_before = steady.cursor();

  Producer next(ring);
  EXPECT_EQ(next.generation(), 2u);
  EXPECT_GE(next.next_sequence(), read_before) << "what was read stays published";
  EXPECT_EQ(steady.head(), next.next_sequence());
  const auto snapshot = read_status(*ring.mapping().header(), 60);
  ASSERT_TRUE(snapshot) << "a half-written status block is ended";
  EXPECT_EQ(snapshot->block.generation, 2u);
  EXPECT_EQ(snapshot->block.repaired, next.repaired());
  EXPECT_EQ(snapshot->block.published, snapshot->published);

  Consumer late(ring.mapping());
  publish_numbered(next, 3);
  for (Consumer* consumer : {&steady, &late}) {
    const auto drained = drain(*consumer);
    EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
    EXPECT_EQ(consumer->cursor(), next.next_sequence());
    EXPECT_TRUE(consumer->balance().balanced());
  }
  EXPECT_EQ(next.published() + next.dropped(), next.offered());
}

INSTANTIATE_TEST_SUITE_P(
    Steps, TakeoverTest,
    ::testing::Combine(::testing::Values(PublishStep::kDeclared, PublishStep::kPayloadHalf,
                                         PublishStep::kPayloadStored, PublishStep::kReadyStored,
                                         PublishStep::kHeadStored, PublishStep::kStatusOdd,
                                         PublishStep::kStatusEven),
                       ::testing::Values(Way::kPublish, Way::kBatch, Way::kReserve),
                       ::testing::Values(1, 3), ::testing::Values(0, 3, 21)));

/// How many slots a death at the first `step` of a single publish leaves torn.
std::uint64_t repaired_after(PublishStep step, std::uint64_t before) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  testing::run_child([&] {
    DoomedProducer producer(ring);
    publish_numbered(producer, before);
    KillAt::step = step;
    KillAt::countdown = 1;
    KillAt::is_armed = true;
    publish_numbered(producer, 1);
    return false;
  });
  return Producer(ring).repaired();
}

TEST(TakeoverCountTest, RepairsExactlyTheTornSlots) {
  for (const std::uint64_t before : {0, 5, 8, 19}) {
    EXPECT_EQ(repaired_after(PublishStep::kDeclared, before), 1u) << before;
    EXPECT_EQ(repaired_after(PublishStep::kPayloadHalf, before), 1u) << before;
    EXPECT_EQ(repaired_after(PublishStep::kPayloadStored, before), 1u) << before;
    EXPECT_EQ(repaired_after(PublishStep::kReadyStored, before), 0u) << before;
    EXPECT_EQ(repaired_after(PublishStep::kHeadStored, before), 0u) << before;
  }
}

/// Publishes `before` events, then dies in the middle of the next one.
void die_half_way(const LocalRing& ring, std::uint64_t before) {
  testing::run_child([&] {
    DoomedProducer producer(ring);
    publish_numbered(producer, before);
    KillAt::step = PublishStep::kPayloadHalf;
    KillAt::countdown = 1;
    KillAt::is_armed = true;
    publish_numbered(producer, 1);
    return false;
  });
}

TEST(TakeoverCountTest, RepairsASlotOnceHoweverOftenItIsTakenBack) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  die_half_way(ring, 8);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Producer(ring).repaired(), 1u);
}

/// What a reader says that was in the middle of a torn slot while the next producer took over.
template <class Then>
ReadStatus read_torn_slot(Then then) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  die_half_way(ring, 8);
  Consumer consumer(ring.mapping(), StartAt::kSequence, 0);
  std::optional<Producer> next;
  bool was_called = false;
  const ReadStatus status = consumer.visit([&](const auto&) {
    was_called = true;
    next.emplace(ring);
    then(next);
  });
  EXPECT_TRUE(was_called);
  return status;
}

// The limit of the dead is what says that it is torn: it stays until that is written anew.
TEST(TakeoverCountTest, AReaderInTheMiddleOfATornSlotLearnsOfIt) {
  EXPECT_EQ(read_torn_slot([](auto&) {}), ReadStatus::kOverrun);
  EXPECT_EQ(read_torn_slot([](auto& next) { next.reset(); }), ReadStatus::kOverrun);
}

TEST(TakeoverCountTest, AnAbandonedReservationIsRepaired) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  {
    Producer producer(ring);
    publish_numbered(producer, 10);
    auto abandoned = producer.reserve(5);
    EXPECT_EQ(abandoned.count(), 5u);
  }
  Consumer consumer(ring.mapping(), StartAt::kSequence, 2);
  Producer next(ring);
  EXPECT_EQ(next.repaired(), 5u);
  EXPECT_EQ(next.next_sequence(), 10u);
  drain(consumer);
  EXPECT_EQ(consumer.lost(), 5u) << "the events that the reservation had overwritten";
  EXPECT_EQ(consumer.received(), 3u);
}

TEST(TakeoverCountTest, ACleanHandOverRepairsNothing) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  for (std::uint64_t generation = 1; generation <= 5; ++generation) {
    Producer producer(ring);
    EXPECT_EQ(producer.generation(), generation);
    EXPECT_EQ(producer.repaired(), 0u);
    EXPECT_EQ(producer.published(), (generation - 1) * 3);
    publish_numbered(producer, 3);
  }
}

TEST(TakeoverCountTest, AClaimThatNobodyGrantedIsNotTakenOver) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8, .mode = Mode::kGated});
  {
    Producer producer(ring, WhenFull::kRefuse);
    publish_numbered(producer, 8);
  }
  GatedConsumer consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  const int status = testing::run_child([&] {
    DoomedProducer producer(ring, WhenFull::kRefuse);
    KillAt::step = PublishStep::kClaimed;
    KillAt::countdown = 1;
    KillAt::is_armed = true;
    publish_numbered(producer, 1);
    return false;
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  Producer next(ring, WhenFull::kRefuse);
  EXPECT_EQ(next.repaired(), 0u);
  EXPECT_EQ(next.publish(event_numbered(8)), PublishStatus::kDropped);
  drain(consumer);
  EXPECT_EQ(consumer.received(), 8u);
  EXPECT_EQ(consumer.lost(), 0u);
}

TEST(TakeoverCountTest, AClaimOfTheDeadDoesNotMoveTheStartOfOthers) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
  testing::run_child([&] {
    DoomedProducer producer(ring);
    publish_numbered(producer, 64);
    KillAt::step = PublishStep::kClaimed;
    KillAt::countdown = 1;
    KillAt::is_armed = true;
    publish_numbered(producer, 1);
    return false;
  });
  const Producer next(ring);
  EXPECT_EQ(ring.register_consumer(StartAt::kOldest).sequence(), 0u);
}

TEST(TakeoverCountTest, CarriesDroppedOn) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 4, .mode = Mode::kGated});
  const Registration registration = ring.register_consumer(StartAt::kOldest);
  {
    Producer producer(ring, WhenFull::kRefuse);
    publish_numbered(producer, 7);
    EXPECT_EQ(producer.dropped(), 3u);
  }
  Producer next(ring, WhenFull::kRefuse);
  EXPECT_EQ(next.dropped(), 3u);
  publish_numbered(next, 2);
  EXPECT_EQ(next.dropped(), 5u);
  EXPECT_EQ(next.offered(), 9u);
}

TEST(TakeoverCountTest, RingsTheDoorbellThatTheDeadProducerOwed) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Registration registration = ring.register_consumer();
  ASSERT_TRUE(registration.arm({}, 0));
  testing::run_child([&] {
    DoomedProducer producer(ring);
    KillAt::step = PublishStep::kReadyStored;
    KillAt::countdown = 1;
    KillAt::is_armed = true;
    publish_numbered(producer, 1);
    return false;
  });
  EXPECT_FALSE(testing::is_readable(registration.doorbell_fd()));
  const Producer next(ring);
  EXPECT_TRUE(testing::is_readable(registration.doorbell_fd()));
}

}  // namespace
}  // namespace evring
