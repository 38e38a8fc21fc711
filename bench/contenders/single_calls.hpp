// SPDX-License-Identifier: MIT
// One call after the other on one thread, for a ring that nobody waits for: it overwrites.
#pragma once

#include <bench/rig/throughput.hpp>
#include <evring/consumer.hpp>

#include <algorithm>
#include <cstdint>

namespace evring::bench {

/// What a consumer finds that starts at the oldest event.
template <class Queue>
Tally read_all(Queue& queue, std::size_t burst_count) {
  typename Queue::Consumer consumer(queue, 0, StartAt::kOldest);
  PatternSink<Queue::kPayloadBytes, Queue::kDelivery> sink;
  while (consumer.take(burst_count, sink) != 0) {
  }
  return sink.tally();
}

/// Whether it has the newest event, and all that it has are whole and in order.
inline bool is_right(const Tally& found, std::uint64_t published) {
  return found.received + found.skipped == published && found.torn + found.out_of_order == 0;
}

inline Record single_calls_record(Clock::time_point begin, std::uint64_t count, bool exact) {
  const double seconds = seconds_between(begin, Clock::now());
  return {{"value", seconds * 1e9 / static_cast<double>(count)},
          {"unit", "ns/event"},
          {"exact", exact},
          {"events", count},
          {"seconds", seconds}};
}

/// "publish": what an event costs its producer where nobody reads; what is left is read behind.
template <class Queue>
Record single_publish(const Case& one) {
  Placement::of(one).enter(0);
  Queue queue(one);
  typename Queue::Producer producer(queue);
  PatternSource<Queue::kPayloadBytes> source;
  const Clock::time_point begin = Clock::now();
  std::uint64_t next = 0;
  for (Until until(one, begin); !until.reached(next);) {
    next += producer.offer(next, one.burst_count, source);
  }
  Record record = single_calls_record(begin, next, true);
  const Tally left = read_all(queue, one.burst_count);
  // A producer that has lapped keeps some slots ahead of it free.
  record["exact"] =
      is_right(left, next) && 2 * left.received >= std::min<std::uint64_t>(next, one.slot_count);
  return record;
}

/// "read": a full ring again and again, each pass from its oldest event on.
template <class Queue>
Record single_read(const Case& one) {
  Placement::of(one).enter(0);
  Queue queue(one);
  typename Queue::Producer producer(queue);
  PatternSource<Queue::kPayloadBytes> source;
  for (std::uint64_t next = 0; next < one.slot_count;) next += producer.offer(next, 1, source);
  bool exact = true;
  const Clock::time_point begin = Clock::now();
  std::uint64_t count = 0;
  for (Until until(one, begin); !until.reached(count); count += one.slot_count) {
    const Tally found = read_all(queue, one.burst_count);
    exact = exact && is_right(found, one.slot_count) && found.skipped == 0;
  }
  return single_calls_record(begin, count, exact);
}

}  // namespace evring::bench
