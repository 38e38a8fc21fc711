// SPDX-License-Identifier: MIT
// What a poller pays to arm many rings at once, and what comes in the midst of that.
#include <algorithm>
#include <stdexcept>

#include "../trap.hpp"
#include "support.hpp"

namespace evring {
namespace {

std::uint64_t armed_word(const LocalRing& ring) {
  return load_relaxed(reinterpret_cast<std::uint64_t*>(&ring.producer_side()->doorbell->armed));
}
bool has_fence_bit(const LocalRing& ring) { return (armed_word(ring) & EVRING_ARMED_FENCE) != 0; }
bool is_armed(const LocalRing& ring) {
  return (armed_word(ring) & ~static_cast<std::uint64_t>(EVRING_ARMED_FENCE)) != 0;
}

class PollerArmTest : public ParkingTest {};

INSTANTIATE_TEST_SUITE_P(Rungs, PollerArmTest, testing::Values(Rung::kUringPoll, Rung::kEpoll));

TEST_P(PollerArmTest, RingsOfOnePassShareABarrierAndAreLookedAtBehindIt) {
  in_child([] {
    constexpr unsigned kRingCount = 100, kBusy = 7;
    Poller poller(parking());
    std::vector<LocalRing> rings;
    for (unsigned i = 0; i < kRingCount; ++i) {
      rings.push_back(LocalRing::anonymous({.slot_count = 4, .registered_count_max = 1}));
      poller.add(PollSource::of(rings.back()));
    }
    Producer producer(rings[kBusy]);
    int barriers = 0;
    bool were_armed = false;
    at_each_barrier([&] {
      ++barriers;
      were_armed = std::all_of(rings.begin(), rings.end(), is_armed);
      producer.publish(event_of(1));
      return 0;
    });
    const std::size_t before = poller.poll_once(kIgnore);
    const bool is_hot = !is_armed(rings[kBusy]);
    const auto still = std::count_if(rings.begin(), rings.end(), is_armed);
    return before == 0 && barriers == 1 && were_armed && is_hot && still == kRingCount - 1 &&
           poller.poll_once(kIgnore) == 1;
  });
}

TEST_P(PollerArmTest, WithoutABarrierEachRingAsksForAFence) {
  in_child([] {
    Poller poller(parking());
    std::vector<LocalRing> rings{small_ring(), small_ring()};
    for (const LocalRing& ring : rings) poller.add(PollSource::of(ring));
    at_each_barrier([] { return -EPERM; });
    poller.poll_once(kIgnore);
    return std::all_of(rings.begin(), rings.end(),
                       [](const LocalRing& ring) { return is_armed(ring) && has_fence_bit(ring); });
  });
}

TEST_P(PollerArmTest, WhatWasBegunBeforeAHandlerThrowsIsEnded) {
  PollerOptions options = parking();
  options.arm.max_idle = std::chrono::milliseconds(0);  // nothing but the doorbell wakes it
  Poller poller(std::move(options));
  LocalRing quiet = small_ring(), busy = small_ring();
  poller.add(PollSource::of(quiet));
  poller.add(PollSource::of(busy),
             [](unsigned, std::span<const Event>) { throw std::runtime_error("the handler's"); });
  Producer(busy).publish(event_of(1));
  EXPECT_THROW(poller.poll_once(kIgnore), std::runtime_error);
  Producer producer(quiet);
  std::jthread later([&] {
    eventually([&] { return poller.counters().parks != 0; });
    producer.publish(event_of(2));
  });
  std::uint64_t seen = 0;
  poller.run({}, [&](unsigned, std::span<const Event> events) {
    seen = events.front().get<std::uint64_t>();
    poller.request_stop();
  });
  EXPECT_EQ(seen, 2u);
}

}  // namespace
}  // namespace evring
