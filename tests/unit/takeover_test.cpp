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

template <class Layout>
using DoomedProducer = BasicProducer<Layout, KillAt>;

enum class Way { kPublish, kBatch, kReserve };
constexpr std::uint64_t kBatchCount = 4;

template <class Layout>
void offer(DoomedProducer<Layout>& producer, Way way) {
  if (way == Way::kPublish) {
    publish_numbered(producer, kBatchCount);
  } else if (way == Way::kBatch) {
    std::vector<BasicEvent<Layout>> events;
    for (std::uint64_t i = 0; i < kBatchCount; ++i) {
      events.push_back(testing::numbered<BasicEvent<Layout>>(producer.next_sequence() + i));
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
  template <class Layout>
  static bool die(const LocalRing& ring, std::uint64_t before) {
    const auto [step, way, occurrence, unused] = GetParam();
    DoomedProducer<Layout> producer(ring);
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

  template <class Layout>
  void expect_takeover();
};

template <class Layout>
void TakeoverTest::expect_takeover() {
  const auto [step, way, occurrence, before] = GetParam();
  LocalRing ring =
      LocalRing::anonymous({.slot_count = 8, .slot = slot_of<Layout>(), .first_sequence = 60});
  BasicConsumer<Layout> steady(ring.mapping());
  const int status = testing::run_child([&, before = before] { return die<Layout>(ring, before); });
  const bool has_step = way != Way::kReserve || step != PublishStep::kPayloadHalf;
  ASSERT_EQ(WIFSIGNALED(status), has_step);
  if (has_step) {
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
  }

  const auto between = drain(steady);
  EXPECT_EQ(between.torn + between.out_of_order, 0u);
  const std::uint64_t read_before = steady.cursor();

  BasicProducer<Layout> next(ring);
  EXPECT_EQ(next.generation(), 2u);
  EXPECT_GE(next.next_sequence(), read_before) << "what was read stays published";
  EXPECT_EQ(steady.head(), next.next_sequence());
  const auto snapshot = read_status(*ring.mapping().header(), 60);
  ASSERT_TRUE(snapshot) << "a half-written status block is ended";
  EXPECT_EQ(snapshot->block.generation, 2u);
  EXPECT_EQ(snapshot->block.repaired, next.repaired());
  EXPECT_EQ(snapshot->block.published, snapshot->published);

  BasicConsumer<Layout> late(ring.mapping());
  publish_numbered(next, 3);
  for (BasicConsumer<Layout>* consumer : {&steady, &late}) {
    const auto drained = drain(*consumer);
    EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
    EXPECT_EQ(consumer->cursor(), next.next_sequence());
    EXPECT_TRUE(consumer->balance().balanced());
  }
  EXPECT_EQ(next.published() + next.dropped(), next.offered());
}

TEST_P(TakeoverTest, HangsNobodyTearsNothingAndBalances) { expect_takeover<DefaultSlot>(); }
TEST_P(TakeoverTest, OfPackedSlotsNeither) { expect_takeover<PackedSlot<16>>(); }

INSTANTIATE_TEST_SUITE_P(
    Steps, TakeoverTest,
    ::testing::Combine(::testing::Values(PublishStep::kDeclared, PublishStep::kPayloadHalf,
                                         PublishStep::kPayloadStored, PublishStep::kReadyStored,
                                         PublishStep::kHeadStored, PublishStep::kStatusOdd,
                                         PublishStep::kStatusEven),
                       ::testing::Values(Way::kPublish, Way::kBatch, Way::kReserve),
                       ::testing::Values(1, 3), ::testing::Values(0, 3, 21)));

template <class Layout>
class TakeoverCountTest : public ::testing::Test {
 protected:
  static LocalRing make_ring(std::uint64_t first = 0) {
    return LocalRing::anonymous(
        {.slot_count = 8, .slot = slot_of<Layout>(), .first_sequence = first});
  }

  /// Publishes `before` events, then dies at `step` of the next one.
  static void die_at(PublishStep step, const LocalRing& ring, std::uint64_t before) {
    testing::run_child([&] {
      DoomedProducer<Layout> producer(ring);
      publish_numbered(producer, before);
      KillAt::step = step;
      KillAt::countdown = 1;
      KillAt::is_armed = true;
      publish_numbered(producer, 1);
      return false;
    });
  }
  static void die_half_way(const LocalRing& ring, std::uint64_t before) {
    die_at(PublishStep::kPayloadHalf, ring, before);
  }
  static std::uint64_t repaired_by_next(const LocalRing& ring) {
    return BasicProducer<Layout>(ring).repaired();
  }

  /// How many slots a death at the first `step` of a single publish leaves torn.
  static std::uint64_t repaired_after(PublishStep step, std::uint64_t before,
                                      std::uint64_t first = 0) {
    const LocalRing ring = make_ring(first);
    die_at(step, ring, before);
    return repaired_by_next(ring);
  }

  /// What a reader says that was in the middle of a torn slot while the next producer took over.
  template <class Then>
  static ReadStatus read_torn_slot(Then then) {
    const LocalRing ring = make_ring();
    die_half_way(ring, 8);
    BasicConsumer<Layout> consumer(ring.mapping(), StartAt::kSequence, 0);
    std::optional<BasicProducer<Layout>> next;
    bool was_called = false;
    const ReadStatus status = consumer.visit([&](const auto&) {
      was_called = true;
      next.emplace(ring);
      then(next);
    });
    EXPECT_TRUE(was_called);
    return status;
  }
};

using TakenOver = ::testing::Types<DefaultSlot, PackedSlot<16>, PackedSlot<64>>;
TYPED_TEST_SUITE(TakeoverCountTest, TakenOver);

TYPED_TEST(TakeoverCountTest, RepairsExactlyTheTornSlots) {
  for (const std::uint64_t before : {0, 5, 8, 19}) {
    EXPECT_EQ(this->repaired_after(PublishStep::kDeclared, before), 1u) << before;
    EXPECT_EQ(this->repaired_after(PublishStep::kPayloadHalf, before), 1u) << before;
    EXPECT_EQ(this->repaired_after(PublishStep::kPayloadStored, before), 1u) << before;
    EXPECT_EQ(this->repaired_after(PublishStep::kReadyStored, before),
              has_stamp(TypeParam::format()) ? 0u : 1u)
        << before << ": without a stamp head alone publishes";
    EXPECT_EQ(this->repaired_after(PublishStep::kHeadStored, before), 0u) << before;
  }
}

TYPED_TEST(TakeoverCountTest, RepairsTheTornSlotWhereverSequencesBegin) {
  for (const std::uint64_t first : {std::uint64_t{1} << 32, (std::uint64_t{1} << 63) - 4,
                                    (std::uint64_t{1} << 63) + 4, ~std::uint64_t{0} - 4}) {
    for (const std::uint64_t before : {0, 5, 8, 19}) {
      EXPECT_EQ(this->repaired_after(PublishStep::kPayloadHalf, before, first), 1u)
          << first << " + " << before;
    }
  }
}

TYPED_TEST(TakeoverCountTest, RepairsASlotOnceHoweverOftenItIsTakenBack) {
  const LocalRing ring = this->make_ring();
  this->die_half_way(ring, 8);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(this->repaired_by_next(ring), 1u);
}

TYPED_TEST(TakeoverCountTest, ASecondDeathCountsWhatItAloneHadClaimed) {
  const LocalRing ring = this->make_ring();
  this->die_half_way(ring, 8);
  this->die_half_way(ring, 0);  // in the same slot
  EXPECT_EQ(this->repaired_by_next(ring), 1u);
  this->die_half_way(ring, 1);  // in the one behind it
  EXPECT_EQ(this->repaired_by_next(ring), 2u);
  this->die_half_way(ring, 9);
  EXPECT_EQ(this->repaired_by_next(ring), 3u);
}

// The limit of the dead is what says that it is torn: it stays until that is written anew.
TYPED_TEST(TakeoverCountTest, AReaderInTheMiddleOfATornSlotLearnsOfIt) {
  EXPECT_EQ(this->read_torn_slot([](auto&) {}), ReadStatus::kOverrun);
  EXPECT_EQ(this->read_torn_slot([](auto& next) { next.reset(); }), ReadStatus::kOverrun);
}

TYPED_TEST(TakeoverCountTest, AnAbandonedReservationIsRepaired) {
  const LocalRing ring = this->make_ring();
  {
    BasicProducer<TypeParam> producer(ring);
    publish_numbered(producer, 10);
    auto abandoned = producer.reserve(5);
    EXPECT_EQ(abandoned.count(), 5u);
  }
  BasicConsumer<TypeParam> consumer(ring.mapping(), StartAt::kSequence, 2);
  BasicProducer<TypeParam> next(ring);
  EXPECT_EQ(next.repaired(), 5u);
  EXPECT_EQ(next.next_sequence(), 10u);
  drain(consumer);
  EXPECT_EQ(consumer.lost(), 5u) << "the events that the reservation had overwritten";
  EXPECT_EQ(consumer.received(), 3u);
}

TYPED_TEST(TakeoverCountTest, ACleanHandOverRepairsNothing) {
  const LocalRing ring = this->make_ring();
  for (std::uint64_t generation = 1; generation <= 5; ++generation) {
    BasicProducer<TypeParam> producer(ring);
    EXPECT_EQ(producer.generation(), generation);
    EXPECT_EQ(producer.repaired(), 0u);
    EXPECT_EQ(producer.published(), (generation - 1) * 3);
    publish_numbered(producer, 3);
  }
}

TEST(TakeoverClaimTest, AClaimThatNobodyGrantedIsNotTakenOver) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8, .mode = Mode::kGated});
  {
    Producer producer(ring, WhenFull::kRefuse);
    publish_numbered(producer, 8);
  }
  GatedConsumer consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  const int status = testing::run_child([&] {
    DoomedProducer<DefaultSlot> producer(ring, WhenFull::kRefuse);
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

TEST(TakeoverClaimTest, AClaimOfTheDeadDoesNotMoveTheStartOfOthers) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
  testing::run_child([&] {
    DoomedProducer<DefaultSlot> producer(ring);
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

TEST(TakeoverClaimTest, CarriesDroppedOn) {
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

TEST(TakeoverClaimTest, RingsTheDoorbellThatTheDeadProducerOwed) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Registration registration = ring.register_consumer();
  ASSERT_TRUE(registration.arm({}, 0));
  testing::run_child([&] {
    DoomedProducer<DefaultSlot> producer(ring);
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
