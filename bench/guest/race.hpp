// SPDX-License-Identifier: MIT
// One race: producers and consumers as pinned processes over one driver for some time, then
// the balance of every process against the driver's own account.
//
// A driver is a class: Driver(const Case&) makes a fresh device where there are devices;
// Producer and Consumer are made from it, one in each process; see ring.hpp.
#pragma once

#include <bench/guest/race_sink.hpp>
#include <bench/rig/case.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

namespace evring::bench {

/// The driver's own account after a race.
struct Account {
  std::uint64_t published = 0;     ///< events that went in
  std::uint64_t dropped = 0;       ///< offered, and refused
  std::uint64_t lock_wait_ns = 0;  ///< of all processes together
  std::uint64_t left = 0;          ///< went in, and are still there
  std::uint64_t corruptions = 0;   ///< of the driver's own structures
};

struct alignas(64) ProducerCounts {
  std::uint64_t offered = 0;
  std::uint64_t accepted = 0;
};

struct alignas(64) ConsumerCounts {
  std::atomic<std::uint64_t> received{0};  ///< so far; the others are told at the end
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
  std::uint64_t out_of_order = 0;
  bool balanced = false;
};

/// Memory of all processes of a race.
struct Board {
  std::atomic<unsigned> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> producers_stop{false};
  std::atomic<bool> producers_done{false};
  std::array<ProducerCounts, kRaceProcessesMax> producer;
  std::array<ConsumerCounts, kRaceProcessesMax> consumer;

  void wait_for_go();
};

/// What the processes do, each by its number, and what the driver says of it afterwards.
struct Race {
  bool is_broadcast = true;  ///< each event goes to each consumer, or to one of them
  std::function<void(Board&, unsigned)> produce;
  std::function<void(Board&, unsigned)> consume;
  std::function<Account()> account;
};

/// @return deliveries a second; "faults" says what does not add up.
Record run_race(const Case& one, const Race& race);

template <class Driver>
void produce(Driver& driver, Board& board, unsigned number, std::uint32_t burst_count) {
  typename Driver::Producer side(driver);
  std::array<Input, EVRING_BASELINE_BATCH_MAX> events;
  ProducerCounts counts;
  board.wait_for_go();
  do {
    for (std::uint32_t i = 0; i < burst_count; ++i)
      events[i] = event_of(number, counts.offered + i);
    counts.accepted += side.inject(events.data(), burst_count);
    counts.offered += burst_count;
  } while (!board.producers_stop.load(std::memory_order_relaxed));
  board.producer[number] = counts;
}

template <class Driver>
void consume(Driver& driver, Board& board, unsigned number) {
  typename Driver::Consumer side(driver);
  ConsumerCounts& counts = board.consumer[number];
  RaceSink sink;
  board.wait_for_go();
  for (;;) {
    const bool is_last = board.producers_done;
    const bool found = side.poll(sink);
    counts.received.store(sink.received(), std::memory_order_relaxed);
    if (!found && is_last) break;
  }
  counts.lost = side.lost();
  counts.torn = sink.torn();
  counts.out_of_order = sink.out_of_order();
  counts.balanced = side.is_balanced(sink.received());
}

template <class Driver>
Record race(const Case& one) {
  Driver driver(one);
  const auto burst_count = static_cast<std::uint32_t>(one.burst_count);
  return run_race(
      one, {.is_broadcast = Driver::kBroadcast,
            .produce = [&](Board& board, unsigned i) { produce(driver, board, i, burst_count); },
            .consume = [&](Board& board, unsigned i) { consume(driver, board, i); },
            .account = [&] { return driver.account(); }});
}

}  // namespace evring::bench
