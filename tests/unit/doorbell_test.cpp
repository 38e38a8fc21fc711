// SPDX-License-Identifier: MIT
// Doorbells: one per idle period, moderated by count and by time, none lost.
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include "support.hpp"

namespace evring {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::is_readable;
using testing::publish_numbered;

class DoorbellTest : public ::testing::Test {
 protected:
  LocalRing ring = LocalRing::anonymous({.slot_count = 64});
  Producer producer{ring};
  Registration registration = ring.register_consumer();
};

TEST_F(DoorbellTest, IsNotArmedWhenEventsAreThere) {
  publish_numbered(producer, 1);
  EXPECT_FALSE(registration.arm({}, 0));
  publish_numbered(producer, 1);
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
  EXPECT_EQ(producer.doorbells_rung(), 0u);
  EXPECT_TRUE(registration.arm({}, 2));
}

TEST_F(DoorbellTest, RingsOncePerIdlePeriod) {
  for (std::uint64_t period = 0; period < 5; ++period) {
    ASSERT_TRUE(registration.arm({}, producer.next_sequence()));
    publish_numbered(producer, 10);
    EXPECT_TRUE(is_readable(registration.doorbell_fd()));
    std::uint64_t count = 0;
    ASSERT_EQ(::read(registration.doorbell_fd(), &count, 8), 8);
    EXPECT_EQ(count, 1u);
    registration.disarm();
    EXPECT_EQ(producer.doorbells_rung(), period + 1);
  }
  EXPECT_EQ(read_status(*ring.mapping().header(), 0)->block.doorbells_rung, 5u);
}

TEST_F(DoorbellTest, IsSilentForASpinningConsumer) {
  publish_numbered(producer, 100);
  EXPECT_EQ(producer.doorbells_rung() + producer.doorbells_suppressed(), 0u);
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
}

TEST_F(DoorbellTest, WaitsForTheWatermark) {
  ASSERT_TRUE(registration.arm({.wake_events = 4, .wake = hours(1)}, 0));
  publish_numbered(producer, 3);
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
  EXPECT_EQ(producer.doorbells_suppressed(), 3u);
  publish_numbered(producer, 1);
  EXPECT_TRUE(is_readable(registration.doorbell_fd()));
  EXPECT_TRUE(registration.disarm());
  EXPECT_EQ(producer.doorbells_rung(), 1u) << "timer and watermark are one doorbell";
}

TEST_F(DoorbellTest, RingsWithTheFirstEventWhenNoTimeIsGiven) {
  ASSERT_TRUE(registration.arm({.wake_events = 1000}, 0));
  publish_numbered(producer, 1);
  EXPECT_TRUE(is_readable(registration.doorbell_fd()));
}

TEST_F(DoorbellTest, ComesByTimeBelowTheWatermark) {
  ASSERT_TRUE(registration.arm({.wake_events = 50, .wake = milliseconds(20)}, 0));
  EXPECT_FALSE(is_readable(registration.timer_fd(), 60)) << "no event, no timer";
  const auto begin = std::chrono::steady_clock::now();
  publish_numbered(producer, 2);
  EXPECT_TRUE(is_readable(registration.timer_fd(), 5000));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(19));
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
  EXPECT_EQ(producer.doorbells_rung(), 1u);
}

TEST_F(DoorbellTest, ComesByTimeForAnEventFromBeforeTheArm) {
  publish_numbered(producer, 1);
  ASSERT_TRUE(registration.arm({.wake_events = 50, .wake = milliseconds(20)}, 0));
  EXPECT_TRUE(is_readable(registration.timer_fd(), 5000));
}

TEST_F(DoorbellTest, AWatermarkAboveTheRingIsClamped) {
  ASSERT_TRUE(registration.arm({.wake_events = 60000, .wake = hours(1)}, 0));
  publish_numbered(producer, 63);
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
  publish_numbered(producer, 1);
  EXPECT_TRUE(is_readable(registration.doorbell_fd()));
}

TEST_F(DoorbellTest, AWatermarkThatIsWrittenPastTheRingIsClamped) {
  ASSERT_TRUE(registration.arm({.wake_events = 64, .wake = hours(1)}, 0));
  registration.page()->wake_events = 1ULL << 40;
  publish_numbered(producer, 63);
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
  publish_numbered(producer, 1);
  EXPECT_TRUE(is_readable(registration.doorbell_fd()));
}

TEST_F(DoorbellTest, IsSwallowedByDisarm) {
  ASSERT_TRUE(registration.arm({}, 0));
  publish_numbered(producer, 1);
  EXPECT_TRUE(registration.disarm());
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
  ASSERT_TRUE(registration.arm({}, 1));
  EXPECT_FALSE(registration.disarm()) << "nothing rang this time";
  publish_numbered(producer, 1);
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
}

TEST_F(DoorbellTest, AnOldTimerDoesNotWakeALaterPark) {
  ASSERT_TRUE(registration.arm({.wake_events = 50, .wake = milliseconds(5)}, 0));
  publish_numbered(producer, 1);
  registration.disarm();
  ASSERT_TRUE(registration.arm({.wake_events = 50, .wake = milliseconds(5)}, 1));
  EXPECT_FALSE(is_readable(registration.timer_fd(), 40));
}

TEST_F(DoorbellTest, RingsWithTheFenceBitToo) {
  std::uint64_t* armed = reinterpret_cast<std::uint64_t*>(&ring.producer_side()->doorbell->armed);
  fetch_or(armed, EVRING_ARMED_FENCE);
  ASSERT_TRUE(registration.arm({}, 0));
  publish_numbered(producer, 3);
  EXPECT_TRUE(is_readable(registration.doorbell_fd()));
  EXPECT_EQ(producer.doorbells_rung(), 1u);
  EXPECT_EQ(load_relaxed(armed), EVRING_ARMED_FENCE) << "never cleared";
}

TEST_F(DoorbellTest, RingsEachArmedConsumer) {
  Registration other = ring.register_consumer();
  ASSERT_TRUE(registration.arm({}, 0));
  ASSERT_TRUE(other.arm({.wake_events = 2, .wake = hours(1)}, 0));
  publish_numbered(producer, 1);
  EXPECT_TRUE(is_readable(registration.doorbell_fd()));
  EXPECT_FALSE(is_readable(other.doorbell_fd()));
  publish_numbered(producer, 1);
  EXPECT_TRUE(is_readable(other.doorbell_fd()));
}

TEST_F(DoorbellTest, RingsOnceForABatchAndForACommit) {
  ASSERT_TRUE(registration.arm({}, 0));
  const std::vector<Event> events(20);
  producer.publish_batch(events);
  EXPECT_TRUE(registration.disarm());
  ASSERT_TRUE(registration.arm({}, 20));
  auto reservation = producer.reserve(2);
  EXPECT_FALSE(is_readable(registration.doorbell_fd()));
  reservation.commit();
  EXPECT_TRUE(is_readable(registration.doorbell_fd()));
}

TEST_F(DoorbellTest, HostileRequestsHurtNobodyElse) {
  Registration other = ring.register_consumer();
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(other.arm({}, producer.next_sequence()));
    ASSERT_TRUE(registration.arm({}, producer.next_sequence()));
    registration.page()->arm_cursor = random();
    registration.page()->wake_events = random();
    registration.page()->wake_us = random();
    publish_numbered(producer, 1);
    ASSERT_TRUE(is_readable(other.doorbell_fd()));
    other.disarm();
  }
}

TEST(DoorbellLifeTest, WakesWhoeverSleepsWhenTheRingGoes) {
  auto ring = std::make_unique<LocalRing>(LocalRing::anonymous());
  Registration registration = ring->register_consumer();
  ASSERT_TRUE(registration.arm({}, 0));
  ring.reset();
  EXPECT_TRUE(is_readable(registration.doorbell_fd()));
  registration.disarm();
  EXPECT_FALSE(registration.arm({}, 0)) << "nobody would ring any more";
}

/// Parks and wakes `count` times while events come one by one at random moments; a park
/// that ends by its long limit although an event is there has missed its doorbell.
void park_beside_producer(std::uint64_t fence_bit) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 1024});
  fetch_or(reinterpret_cast<std::uint64_t*>(&ring.producer_side()->doorbell->armed), fence_bit);
  Registration registration = ring.register_consumer();
  Consumer consumer(ring.mapping());
  constexpr std::uint64_t kCount = 20000;
  std::thread writer([&ring] {
    Producer producer(ring);
    std::mt19937_64 random(11);
    for (std::uint64_t i = 0; i < kCount; ++i) {
      publish_numbered(producer, 1);
      for (std::uint64_t pause = random() % 200; pause > 0; --pause) cpu_relax();
    }
  });
  std::uint64_t missed = 0;
  while (consumer.cursor() < kCount) {
    testing::drain(consumer);
    if (consumer.cursor() >= kCount) break;
    if (!registration.arm({}, consumer.cursor())) continue;
    missed += is_readable(registration.doorbell_fd(), 5000) ? 0 : 1;
    registration.disarm();
  }
  writer.join();
  EXPECT_EQ(missed, 0u);
  EXPECT_TRUE(consumer.balance().balanced());
}

TEST(DoorbellLifeTest, LosesNoWakeUp) { park_beside_producer(0); }
TEST(DoorbellLifeTest, LosesNoWakeUpWithoutMembarrier) { park_beside_producer(EVRING_ARMED_FENCE); }

}  // namespace
}  // namespace evring
