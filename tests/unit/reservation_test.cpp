// SPDX-License-Identifier: MIT
// Reservations and the calls that leave an event with its caller: nothing that was
// published is taken back or written over, and nothing is counted twice.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::event_numbered;
using testing::fill_all;
using testing::publish_numbered;

static_assert(!std::is_copy_constructible_v<Producer::Reservation>);
static_assert(!std::is_copy_assignable_v<Producer::Reservation>);

TEST(ReservationTest, PublishingMeanwhileDoesNotMoveHeadBack) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 3);
  auto reservation = producer.reserve(2);
  fill_all(reservation);
  EXPECT_EQ(producer.publish(event_numbered(3)), PublishStatus::kDropped);
  EXPECT_EQ(producer.publish_batch(std::array<Event, 3>{}), 0u);
  EXPECT_EQ(producer.try_publish(event_numbered(3)), PublishStatus::kFull);
  EXPECT_EQ(producer.next_sequence(), 3u);
  reservation.commit();
  EXPECT_EQ(producer.next_sequence(), 5u);
  publish_numbered(producer, 1);
  EXPECT_EQ(producer.published(), 6u);
  EXPECT_EQ(producer.dropped(), 4u);
  const auto drained = testing::drain(consumer);
  EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
  EXPECT_EQ(consumer.received(), 6u);
}

TEST(ReservationTest, CommitsOnce) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  auto reservation = producer.reserve(2);
  fill_all(reservation);
  auto moved = std::move(reservation);
  reservation.commit();  // NOLINT(bugprone-use-after-move): it holds nothing any more
  EXPECT_EQ(producer.published(), 0u);
  moved.commit();
  moved.commit();
  EXPECT_EQ(moved.count(), 0u);
  EXPECT_EQ(producer.published(), 2u);
}

TEST(ReservationTest, RefusesWhatLiesPastItsEnd) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 8);
  auto reservation = producer.reserve(2);
  fill_all(reservation);
  EXPECT_FALSE(reservation.set_word(2, 0, 1)) << "the slot of event 2, which is published";
  EXPECT_FALSE(reservation.set_word(0, 5, 1)) << "the stamp of the next slot";
  EXPECT_FALSE(reservation.set_type(2, 1, 8));
  EXPECT_TRUE(reservation.set_type(1, 1, 4000));
  reservation.commit();
  EXPECT_FALSE(reservation.set_word(0, 0, 1)) << "it is published";
  Event event;
  EXPECT_EQ(consumer.resync(), 2u);
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_TRUE(testing::is_whole(event)) << event.sequence;
  }
  EXPECT_EQ(event.length_bytes, 40u);
}

TEST(ReservationTest, OneAtATime) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  {
    auto first = producer.reserve(2);
    EXPECT_EQ(first.count(), 2u);
    const auto second = producer.reserve(3);
    EXPECT_EQ(second.count(), 0u);
    EXPECT_EQ(producer.dropped(), 3u);
    fill_all(first);
    first.commit();
  }
  {
    const auto abandoned = producer.reserve(4);
    EXPECT_EQ(abandoned.count(), 4u);
  }
  auto next = producer.reserve(1);
  EXPECT_EQ(next.count(), 1u) << "what was given back is free";
  EXPECT_EQ(next.sequence(0), 2u);
  next = producer.reserve(1);  // asked before the one it replaces is given back
  EXPECT_EQ(next.count(), 0u);
  EXPECT_EQ(producer.publish(event_numbered(2)), PublishStatus::kPublished);
}

TEST(ReservationTest, AForkedChildsCopyCommitsNothing) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  auto reservation = producer.reserve(2);
  fill_all(reservation);
  EXPECT_EQ(testing::run_child([&] {
              const bool is_refused = !reservation.set_word(0, 0, 1);
              reservation.commit();
              return is_refused;
            }),
            0);
  EXPECT_EQ(producer.published(), 0u);
  reservation.commit();
  EXPECT_EQ(producer.published(), 2u);
}

TEST(TryPublishTest, LeavesTheEventWithItsCaller) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 4, .mode = Mode::kGated});
  Producer producer(ring, WhenFull::kWait);
  GatedConsumer consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(producer.try_publish(event_numbered(i)), PublishStatus::kPublished);
  }
  EXPECT_EQ(producer.try_publish(event_numbered(4)), PublishStatus::kFull);
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  EXPECT_EQ(producer.publish_until(event_numbered(4), soon), PublishStatus::kFull);
  EXPECT_EQ(producer.offered(), 4u) << "neither published nor dropped";
  Event event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  consumer.commit();
  EXPECT_EQ(producer.try_publish(event_numbered(4)), PublishStatus::kPublished);
  EXPECT_EQ(producer.dropped(), 0u);
}

TEST(ProducerTest, ACountPastAllSequencesPassesNoGate) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 4, .mode = Mode::kGated});
  Producer producer(ring, WhenFull::kRefuse);
  GatedConsumer consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  std::size_t calls = 0;
  const auto payload = [&calls](std::uint64_t) noexcept {
    if (++calls > 1000) std::abort();
    return calls;
  };
  EXPECT_EQ(producer.publish_from(SIZE_MAX, payload), 4u);
  EXPECT_EQ(producer.dropped(), SIZE_MAX - 4);
  EXPECT_EQ(testing::run_child(
                [&] { return producer.try_publish(event_numbered(4)) == PublishStatus::kDropped; }),
            0);
}

TEST(TryPublishTest, WaitsUntilThereIsRoom) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 4, .mode = Mode::kGated});
  Producer producer(ring, WhenFull::kRefuse);
  GatedConsumer consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  publish_numbered(producer, 4);
  std::thread reader([&] {
    Event event;
    EXPECT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    consumer.commit();
  });
  const auto late = std::chrono::steady_clock::now() + std::chrono::hours(1);
  EXPECT_EQ(producer.publish_until(event_numbered(4), late), PublishStatus::kPublished);
  reader.join();
}

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

TEST(ProducerTimeTest, StampsTheTimeAfterItWaited) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 4, .mode = Mode::kGated});
  Producer producer(ring, WhenFull::kWait);
  GatedConsumer consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  publish_numbered(producer, 4);
  std::uint64_t made_room_ns = 0;
  std::thread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    made_room_ns = now_ns();  // a read of an eighth of the ring makes room by itself
    std::vector<Event> events(4);
    EXPECT_EQ(consumer.read_burst(events).count, 4u);
  });
  publish_numbered(producer, 1);
  reader.join();
  Event event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_GE(event.timestamp_ns, made_room_ns);
}

TEST(ProducerTest, AWrongLayoutTouchesNothing) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  { const Producer producer(ring); }
  EXPECT_THROW(BasicProducer<BareSlot64>{ring}, std::invalid_argument);
  const Producer producer(ring);
  EXPECT_EQ(producer.generation(), 2u) << "as if the wrong one had never come";
}

TEST(TakeoverCountTest, CountsARepairedSlotOnce) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  {
    Producer producer(ring);
    publish_numbered(producer, 10);
    const auto abandoned = producer.reserve(5);
  }
  for (int reopening = 0; reopening < 3; ++reopening) {
    const Producer next(ring);
    EXPECT_EQ(next.repaired(), 5u) << "reopening " << reopening;
  }
  Producer last(ring);
  publish_numbered(last, 20);
  EXPECT_EQ(last.repaired(), 5u);
}

}  // namespace
}  // namespace evring
