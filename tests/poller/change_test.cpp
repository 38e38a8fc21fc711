// SPDX-License-Identifier: MIT
// Rings that come and go while a poller runs, and handlers of their own.
#include "support.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>

namespace evring {
namespace {

class ChangeTest : public testing::TestWithParam<WaitStrategy> {
 protected:
  static PollerOptions options() {
    PollerOptions options;
    options.strategy = GetParam();
    options.spin = std::chrono::microseconds(5);
    options.arm.max_idle = std::chrono::milliseconds{0};  // a park has no end of its own
    options.stays = true;
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Strategies, ChangeTest, kEveryStrategy, strategy_name);

TEST_P(ChangeTest, ARingAddedWhileThePollerSleepsIsPolled) {
  RunningPoller poller(options());
  LocalRing first = small_ring();
  poller->add(PollSource::of(first));
  poller.start();
  if (GetParam() == WaitStrategy::kPark) {
    ASSERT_TRUE(poller.parks_again(0));
  }
  LocalRing second = small_ring();
  Producer producer(second);
  std::atomic<std::uint64_t> sum{0};
  const unsigned id =
      poller->add(PollSource::of(second), [&](unsigned, std::span<const Event> events) {
        for (const Event& event : events) {
          sum += event.get<std::uint64_t>();
        }
      });
  EXPECT_EQ(id, 1U);
  for (std::uint64_t i = 1; i <= 10; ++i) producer.publish(event_of(i));
  EXPECT_TRUE(eventually([&] { return sum == 55; }));
  EXPECT_EQ(poller->counters(id).received, 10U);
  poller.stop();
}

TEST_P(ChangeTest, ARemovedRingIsLeftAndItsNumberGivenOutAgain) {
  PollerOptions with_end = options();
  std::atomic<unsigned> left{0};
  with_end.on_gone = [&](unsigned ring, GoneReason reason) {
    EXPECT_EQ(ring, 0U);
    EXPECT_EQ(reason, GoneReason::kLeft);
    ++left;
  };
  RunningPoller poller(std::move(with_end));
  LocalRing ring = small_ring(Mode::kGated, 8);
  Producer producer(ring, WhenFull::kRefuse);
  poller->add(PollSource::of(ring));
  poller.start();
  producer.publish(event_of(1));
  ASSERT_TRUE(eventually([&] { return poller->counters(0).received == 1; }));
  poller->remove(0);
  poller->remove(0);
  ASSERT_TRUE(eventually([&] { return left == 1; }));
  EXPECT_TRUE(eventually([&] {
    for (std::uint64_t i = 0; i < 20; ++i) {
      if (producer.publish(event_of(i)) != PublishStatus::kPublished) return false;
    }
    return true;
  })) << "somebody gates it";
  EXPECT_EQ(poller->counters(0).received, 1U) << "its account stands";
  EXPECT_TRUE(eventually([&] {  // free a moment after on_gone()
    return poller->add(PollSource::of(small_ring()), kIgnore) == 0;
  }));
  EXPECT_EQ(poller->counters(0).received, 0U);
  poller.stop();
  EXPECT_EQ(left, 1U);
}

TEST_P(ChangeTest, AHandlerAddsAndRemovesRings) {
  Poller poller(options());
  LocalRing first = small_ring();
  LocalRing second = small_ring();
  Producer to_first(first);
  Producer to_second(second);
  unsigned second_count = 0;
  poller.add(PollSource::of(first), [&](unsigned ring, std::span<const Event>) {
    poller.add(PollSource::of(second, {.start_at = StartAt::kOldest}),
               [&](unsigned, std::span<const Event> events) {
                 second_count += static_cast<unsigned>(events.size());
               });
    poller.remove(ring);  // itself, while it is called
  });
  to_first.publish(event_of(1));
  to_second.publish(event_of(2));
  for (int i = 0; i < 200; ++i) poller.poll_once(kIgnore);
  to_second.publish(event_of(3));
  for (int i = 0; i < 200; ++i) poller.poll_once(kIgnore);
  EXPECT_EQ(second_count, 2U);
  EXPECT_EQ(poller.alive_count(), 1U);
}

TEST_P(ChangeTest, OnlyRingsWithoutAHandlerGoToTheOneForAll) {
  Poller poller(options());
  LocalRing rings[] = {small_ring(), small_ring()};
  std::vector<unsigned> own;
  std::vector<unsigned> rest;
  poller.add(PollSource::of(rings[0]),
             [&](unsigned ring, std::span<const Event>) { own.push_back(ring); });
  poller.add(PollSource::of(rings[1]));
  for (LocalRing& ring : rings) {
    Producer producer(ring);
    producer.publish(event_of(1));
  }
  poller.drain([&](unsigned ring, std::span<const Event>) { rest.push_back(ring); });
  EXPECT_EQ(own, std::vector<unsigned>{0});
  EXPECT_EQ(rest, std::vector<unsigned>{1});
}

TEST_P(ChangeTest, RingsComeAndGoFromManyThreads) {
  RunningPoller poller(options());
  poller.start();
  std::atomic<std::uint64_t> received{0};
  const auto come_and_go = [&] {
    for (int i = 0; i < 20; ++i) {
      LocalRing ring = small_ring();
      Producer producer(ring);
      std::atomic<bool> seen{false};
      const unsigned id =
          poller->add(PollSource::of(ring), [&](unsigned, std::span<const Event> events) {
            received += events.size();
            seen = true;
          });
      producer.publish(event_of(1));
      ASSERT_TRUE(eventually([&] { return seen.load(); }));
      EXPECT_EQ(poller->counters(id).received, 1U);
      poller->remove(id);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(come_and_go);
  }
  EXPECT_EQ(received, 60U);
  EXPECT_LE(poller->ring_count(), 60U);
  poller.stop();
}

// What is asked for between the look at changes and the look at wake-ups of one pass: its
// wake-up is taken before the sleep.
TEST_P(ChangeTest, ARingAddedDuringOnGoneIsPolled) {
  LocalRing late = small_ring();
  Producer producer(late);
  std::atomic<unsigned> received{0};
  Poller* self = nullptr;
  PollerOptions adding = options();
  adding.on_gone = [&](unsigned, GoneReason) {
    std::jthread([&] {
      self->add(PollSource::of(late), [&](unsigned, std::span<const Event>) { ++received; });
    }).join();
  };
  RunningPoller poller(std::move(adding));
  self = &*poller;
  for (int i = 0; i < 2; ++i) poller->add(PollSource::of(small_ring()));
  poller.start();
  poller->remove(0);
  ASSERT_TRUE(eventually([&] { return poller->ring_count() == 3; }));
  producer.publish(event_of(1));
  EXPECT_TRUE(eventually([&] { return received == 1; }));
  poller.stop();
}

TEST_P(ChangeTest, AStopDuringOnGoneEndsRun) {
  std::stop_source stop;
  PollerOptions stopping = options();
  stopping.on_gone = [&](unsigned, GoneReason) { stop.request_stop(); };
  Poller poller(std::move(stopping));
  for (int i = 0; i < 2; ++i) poller.add(PollSource::of(small_ring()));
  std::atomic<bool> has_ended{false};
  std::jthread runner([&] {
    poller.run(stop.get_token(), kIgnore);
    has_ended = true;
  });
  poller.remove(0);
  EXPECT_TRUE(eventually([&] { return has_ended.load(); }));
  poller.request_stop();
}

TEST_P(ChangeTest, ARingThatOnGoneRemovesIsLeft) {
  std::atomic<unsigned> left{0};
  Poller* self = nullptr;
  PollerOptions removing = options();
  removing.on_gone = [&](unsigned ring, GoneReason) {
    if (ring == 0) self->remove(1);
    ++left;
  };
  RunningPoller poller(std::move(removing));
  self = &*poller;
  for (int i = 0; i < 3; ++i) poller->add(PollSource::of(small_ring()));
  poller.start();
  poller->remove(0);
  EXPECT_TRUE(eventually([&] { return left == 2; }));
  poller.stop();
}

TEST_P(ChangeTest, WhatOnGoneThrowsLosesNoRemoval) {
  unsigned called = 0;
  PollerOptions throwing = options();
  throwing.on_gone = [&](unsigned, GoneReason) {
    ++called;
    throw std::runtime_error("of the user");
  };
  Poller poller(std::move(throwing));
  LocalRing ring = small_ring(Mode::kGated, 8);
  Producer producer(ring, WhenFull::kRefuse);
  for (int i = 0; i < 3; ++i) poller.add(PollSource::of(ring));
  for (unsigned id = 0; id < 3; ++id) poller.remove(id);
  for (unsigned i = 0; i < 3; ++i) EXPECT_THROW(poller.poll_once(kIgnore), std::runtime_error);
  poller.poll_once(kIgnore);
  EXPECT_EQ(called, 3U);
  EXPECT_EQ(poller.alive_count(), 0U);
  for (std::uint64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(producer.publish(event_of(i)), PublishStatus::kPublished) << "somebody gates it";
  }
  for (int i = 0; i < 3; ++i) poller.add(PollSource::of(ring));
  EXPECT_EQ(poller.ring_count(), 3U) << "numbers were lost";
  for (unsigned id = 0; id < 3; ++id) poller.remove(id);
  for (unsigned i = 0; i < 3; ++i) EXPECT_THROW(poller.poll_once(kIgnore), std::runtime_error);
}

TEST_P(ChangeTest, CountersAreReadWhileRingsAreAdded) {
  RunningPoller poller(options());
  poller.start();
  std::atomic<bool> has_ended{false};
  std::uint64_t sum = 0;
  std::jthread reader([&] {
    while (!has_ended) {
      const std::size_t count = poller->ring_count();
      if (count != 0) sum += poller->counters(static_cast<unsigned>(count - 1)).received;
    }
  });
  for (int i = 0; i < 200; ++i) poller->add(PollSource::of(small_ring()), kIgnore);
  has_ended = true;
  reader.join();
  EXPECT_EQ(sum, 0U);
  poller.stop();
}

TEST(ChangeWithoutStayTest, APollerWithoutRingsEnds) {
  Poller poller;
  EXPECT_EQ(poller.run(std::stop_token{}, kIgnore), RunEnd::kAllGone);
  poller.add(PollSource::of(small_ring()));
  poller.remove(0);
  EXPECT_EQ(poller.run(std::stop_token{}, kIgnore), RunEnd::kAllGone);
}

}  // namespace
}  // namespace evring
