// SPDX-License-Identifier: MIT
// Gated rings: the producer waits or refuses behind the slowest registered cursor,
// whatever a consumer writes into its page, and goes on when the consumer has gone.
#include <algorithm>
#include <csignal>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::drain;
using testing::event_numbered;
using testing::publish_numbered;

LocalRing gated_ring(std::uint64_t slot_count = 8) {
  return LocalRing::anonymous({.slot_count = slot_count, .mode = Mode::kGated});
}

/// A consumer with its gate.
struct Gated {
  explicit Gated(LocalRing& ring, StartAt start_at = StartAt::kOldest)
      : shared(std::make_shared<Registration>(ring.register_consumer(start_at))),
        consumer(ring.mapping(), shared) {}
  std::shared_ptr<Registration> shared;
  GatedConsumer consumer;
  Registration& registration = *shared;
};

TEST(GateTest, RefusesBehindTheSlowestAndCounts) {
  LocalRing ring = gated_ring();
  Producer producer(ring, WhenFull::kRefuse);
  Gated slow(ring);
  Gated fast(ring);
  publish_numbered(producer, 8);
  drain(fast.consumer);
  EXPECT_EQ(producer.publish(event_numbered(8)), PublishStatus::kDropped);
  const std::vector<Event> events(5, event_numbered(0));
  EXPECT_EQ(producer.publish_batch(events), 0u);
  EXPECT_EQ(producer.dropped(), 6u);
  EXPECT_EQ(producer.offered(), 14u);
  EXPECT_EQ(read_status(*ring.mapping().header(), 0)->block.dropped, 6u);
  Event event;
  ASSERT_EQ(slow.consumer.try_read(event), ReadStatus::kEvent);
  slow.consumer.commit();
  EXPECT_EQ(producer.publish(event_numbered(8)), PublishStatus::kPublished);
  EXPECT_EQ(producer.publish(event_numbered(9)), PublishStatus::kDropped);
  EXPECT_EQ(slow.consumer.lost() + fast.consumer.lost(), 0u);
}

TEST(GateTest, GivesAReservationWhatThereIsAndDropsTheRest) {
  LocalRing ring = gated_ring();
  Producer producer(ring, WhenFull::kRefuse);
  const Gated reader(ring);
  publish_numbered(producer, 5);
  auto reservation = producer.reserve(5);
  EXPECT_EQ(reservation.count(), 3u);
  reservation.commit();
  EXPECT_EQ(producer.published(), 8u);
  EXPECT_EQ(producer.dropped(), 2u);
}

TEST(GateTest, AConsumerThatIsNeverIdleOpensItToo) {
  LocalRing ring = gated_ring(64);
  Producer producer(ring, WhenFull::kRefuse);
  Gated busy(ring);
  publish_numbered(producer, 64);
  Event event;
  for (int i = 0; i < 7; ++i) ASSERT_EQ(busy.consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_EQ(producer.publish(event_numbered(64)), PublishStatus::kDropped);
  ASSERT_EQ(busy.consumer.try_read(event), ReadStatus::kEvent);  // an eighth of the ring
  EXPECT_EQ(producer.publish(event_numbered(64)), PublishStatus::kPublished);
}

TEST(GateTest, OverwritesNobodyWhenNobodyIsRegistered) {
  LocalRing ring = gated_ring();
  Producer producer(ring, WhenFull::kRefuse);
  publish_numbered(producer, 100);
  EXPECT_EQ(producer.dropped(), 0u);
}

TEST(GateTest, WaitsUntilTheSlowestReads) {
  LocalRing ring = gated_ring();
  Gated reader(ring);
  std::thread writer([&ring] {
    Producer producer(ring, WhenFull::kWait);
    publish_numbered(producer, 500);
    auto reservation = producer.reserve(8);
    EXPECT_EQ(reservation.count(), 8u) << "a waiting reservation gets all it asked for";
    testing::fill_all(reservation);
    reservation.commit();
    EXPECT_EQ(producer.dropped(), 0u);
  });
  testing::Drained all;
  while (reader.consumer.cursor() < 508) {
    const auto drained = drain(reader.consumer);
    all.torn += drained.torn;
    all.out_of_order += drained.out_of_order;
  }
  writer.join();
  EXPECT_EQ(all.torn + all.out_of_order, 0u);
  EXPECT_EQ(reader.consumer.received(), 508u);
  EXPECT_EQ(reader.consumer.lost(), 0u);
}

TEST(GateTest, StopsWaitingWhenTheConsumerLeaves) {
  LocalRing ring = gated_ring();
  auto reader = std::make_unique<Gated>(ring);
  std::thread writer([&ring] {
    Producer producer(ring, WhenFull::kWait);
    publish_numbered(producer, 100);
  });
  Consumer watcher(ring.mapping());
  while (watcher.head() < 8) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(watcher.head(), 8u) << "it waits";
  reader.reset();
  writer.join();
  EXPECT_EQ(watcher.head(), 100u);
}

TEST(GateTest, StopsWaitingForAForkedConsumerThatDied) {
  LocalRing ring = gated_ring();
  const int status = testing::run_child([&] {
    Registration* leaked = new Registration(ring.register_consumer(StartAt::kOldest));
    static_cast<void>(leaked);
    ::kill(::getpid(), SIGKILL);
    return false;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  Producer producer(ring, WhenFull::kWait);
  publish_numbered(producer, 100);
  EXPECT_EQ(producer.published(), 100u);
}

TEST(GateTest, RegistersAtOldestNewestAndSequence) {
  LocalRing ring = gated_ring();
  Producer producer(ring);
  publish_numbered(producer, 20);
  EXPECT_EQ(ring.register_consumer(StartAt::kOldest).sequence(), 12u);
  EXPECT_EQ(ring.register_consumer(StartAt::kNewest).sequence(), 20u);
  EXPECT_EQ(ring.register_consumer(StartAt::kSequence, 15).sequence(), 15u);
  EXPECT_EQ(ring.register_consumer(StartAt::kSequence, 3).sequence(), 12u) << "3 is overwritten";
  EXPECT_THROW((void)ring.register_consumer(StartAt::kSequence, 21), std::out_of_range);
}

TEST(GateTest, RefusesMoreConsumersThanThereArePages) {
  LocalRing ring = LocalRing::anonymous({.registered_count_max = 2});
  std::optional<Registration> first = ring.register_consumer();
  const Registration second = ring.register_consumer();
  EXPECT_NE(first->index(), second.index());
  try {
    static_cast<void>(ring.register_consumer());
    ADD_FAILURE() << "a third one got in";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOSPC);
  }
  first.reset();
  EXPECT_NO_THROW((void)ring.register_consumer());
}

TEST(GateTest, AConsumerThatTakesAnOldPageStartsAfresh) {
  LocalRing ring =
      LocalRing::anonymous({.slot_count = 8, .mode = Mode::kGated, .registered_count_max = 1});
  Producer producer(ring, WhenFull::kRefuse);
  {
    Gated ahead(ring);
    publish_numbered(producer, 8);
    drain(ahead.consumer);
  }
  Gated behind(ring, StartAt::kOldest);
  EXPECT_EQ(behind.consumer.cursor(), 0u);
  EXPECT_EQ(producer.publish(event_numbered(8)), PublishStatus::kDropped)
      << "the page's former cursor stood at 8";
  drain(behind.consumer);
  EXPECT_EQ(behind.consumer.received(), 8u);
}

TEST(GateTest, IgnoresACursorAheadOfHead) {
  LocalRing ring = gated_ring();
  Producer producer(ring, WhenFull::kRefuse);
  const Gated reader(ring);
  auto* cursor = reinterpret_cast<std::uint64_t*>(&reader.registration.page()->cursor);
  publish_numbered(producer, 8);
  for (const std::uint64_t lie : {std::uint64_t{9}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    store_relaxed(cursor, lie);
    EXPECT_EQ(producer.publish(event_numbered(8)), PublishStatus::kDropped) << lie;
  }
}

TEST(GateTest, IgnoresACursorThatGoesBack) {
  LocalRing ring = gated_ring();
  Producer producer(ring, WhenFull::kRefuse);
  const Gated reader(ring);
  auto* cursor = reinterpret_cast<std::uint64_t*>(&reader.registration.page()->cursor);
  publish_numbered(producer, 8);
  store_relaxed(cursor, 8);
  publish_numbered(producer, 1);  // the producer has seen 8
  store_relaxed(cursor, 2);
  publish_numbered(producer, 7);
  EXPECT_EQ(producer.published(), 16u) << "8 was the last valid one";
  EXPECT_EQ(producer.publish(event_numbered(16)), PublishStatus::kDropped);
}

TEST(GateTest, AHostileCursorNeverHurtsAnotherConsumer) {
  LocalRing ring = gated_ring(16);
  Producer producer(ring, WhenFull::kRefuse);
  const Gated liar(ring);
  Gated honest(ring);
  auto* lie = reinterpret_cast<std::uint64_t*>(&liar.registration.page()->cursor);
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    store_relaxed(lie, random() % 3 == 0 ? random() : producer.next_sequence() - random() % 20);
    publish_numbered(producer, 1 + random() % 5);
    if (random() % 2 == 0) {
      const auto drained = drain(honest.consumer);
      ASSERT_EQ(drained.torn + drained.out_of_order, 0u);
    }
  }
  EXPECT_EQ(honest.consumer.lost(), 0u);
  EXPECT_GT(honest.consumer.received(), 100u);
}

/// The highest write limit that stood between a claim and the look at the gate.
struct LimitSpy {
  static inline const evring_header* header = nullptr;
  static inline std::uint64_t highest = 0;

  void operator()(PublishStep at) const noexcept {
    if (at != PublishStep::kClaimed) return;
    const auto* limit = reinterpret_cast<const std::uint64_t*>(&header->write_limit);
    highest = std::max(highest, load_relaxed(limit));
  }
};

// Or else a consumer behind the gate takes what it holds for overwritten.
TEST(GateTest, AClaimThatIsRefusedNeverShowsInTheLimit) {
  LocalRing ring = gated_ring();
  const Mapping mapping = ring.mapping();
  LimitSpy::header = mapping.header();
  LimitSpy::highest = 0;
  BasicProducer<DefaultSlot, LimitSpy> producer(ring, WhenFull::kRefuse);
  publish_numbered(producer, 8);
  const Gated reader(ring);  // the producer has not seen it when it claims
  EXPECT_EQ(producer.publish(event_numbered(8)), PublishStatus::kDropped);
  EXPECT_EQ(LimitSpy::highest, 8u);
}

TEST(GateTest, RegisteringBesideARunningProducerLosesNothing) {
  LocalRing ring = gated_ring(16);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    Producer producer(ring, WhenFull::kWait);
    std::vector<Event> events(12);
    while (!stop.load()) {
      for (std::size_t i = 0; i < events.size(); ++i) {
        events[i] = event_numbered(producer.next_sequence() + i);
      }
      producer.publish_batch(events);
    }
  });
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
  for (int round = 0; round < 2000; ++round) {
    Gated reader(ring, round % 2 == 0 ? StartAt::kOldest : StartAt::kNewest);
    for (int i = 0; i < 5; ++i) torn += drain(reader.consumer).torn;
    lost += reader.consumer.lost();
  }
  stop = true;
  writer.join();
  EXPECT_EQ(lost, 0u);
  EXPECT_EQ(torn, 0u);
}

TEST(GateTest, AnOverwritingRingsOldestCanBeRead) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 1024});
  Producer producer(ring);
  publish_numbered(producer, 5000);
  GatedConsumer registered(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  const Consumer plain(ring.mapping(), StartAt::kOldest);
  EXPECT_EQ(registered.start(), plain.start());
  Event event;
  EXPECT_EQ(registered.try_read(event), ReadStatus::kEvent);
}

// Or its first event rings for an arm that nobody made.
TEST(GateTest, ASeatComesWithoutTheArmOfWhoDiedLeavingIt) {
  LocalRing ring = LocalRing::anonymous({.registered_count_max = 1});
  auto* armed = reinterpret_cast<std::uint64_t*>(&ring.producer_side()->doorbell->armed);
  fetch_or(armed, 1);  // what is left of one that died between its two words
  const Registration next = ring.register_consumer();
  EXPECT_EQ(load_relaxed(armed) & 1, 0u);
}

}  // namespace
}  // namespace evring
