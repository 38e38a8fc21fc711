// SPDX-License-Identifier: MIT
// Produce and consume on one thread: what a queue costs when no line has to move.
#pragma once

#include <bench/measure/throughput.hpp>

#include <algorithm>
#include <cstdint>

namespace evring::bench {

/// Runs on the calling thread as it is: the caller pins. One consumer, whatever the
/// options say; `duration` is ignored.
template <class Queue>
ThroughputResult run_same_thread(const RunOptions& options) {
  Queue queue({.slot_count = options.slot_count, .consumer_count = 1});
  typename Queue::Producer producer(queue);
  typename Queue::Consumer consumer(queue, 0);
  PatternSource<Queue::kPayloadBytes> source;
  PatternSink<Queue::kPayloadBytes, Queue::kDelivery> sink;
  const Clock::time_point begin = Clock::now();
  std::uint64_t next = 0;
  while (next < options.event_count) {
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>(options.burst_count, options.event_count - next));
    const std::size_t done = producer.offer(next, count, source);
    next += done;
    std::size_t taken = 0;
    while (taken < done) {
      const std::size_t now = consumer.take(done - taken, sink);
      if (now == 0) break;  // lost: the verdict says so
      taken += now;
    }
  }
  ThroughputResult result;
  result.published = next;
  result.seconds = result.publish_seconds = seconds_between(begin, Clock::now());
  result.verdict = judge({{sink.tally(), consumer.lost(), {}}}, next, Queue::kDelivery);
  return result;
}

}  // namespace evring::bench
