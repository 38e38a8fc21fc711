// SPDX-License-Identifier: MIT
// One producer, some consumers, every payload checked: the same loops for every contender,
// on threads at full speed and on one thread alone.
// Invariant: a run counts only if it is exact.
#pragma once

#include <bench/rig/clock.hpp>
#include <bench/rig/payload.hpp>
#include <bench/rig/threads.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace evring::bench {

/// What one consumer thread brings home.
struct ConsumerReport {
  Tally tally;
  std::uint64_t lost = 0;
  Clock::time_point finished{};
};

/// What a run came to.
struct Outcome {
  bool exact = false;
  std::uint64_t published = 0;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
  std::uint64_t out_of_order = 0;
  double publish_seconds = 0;  ///< until the producer had offered all
  double seconds = 0;          ///< until the last consumer had seen the end
};

/// Adds the tallies up and holds them against what was published; the times are left out.
Outcome judge(const std::vector<ConsumerReport>& reports, std::uint64_t published,
              Delivery delivery);

/// The outcome as a record, of `value` in `unit`.
Record outcome_record(const Outcome& outcome, double value, const char* unit);

/// How long a producer goes on: for a number of events, or for a time.
class Until {
 public:
  explicit Until(const Case& one, Clock::time_point begin = Clock::now())
      : timed_(one.event_count == 0),
        end_(timed_ ? ~std::uint64_t{0} : one.event_count),
        deadline_(begin + std::chrono::milliseconds(one.duration_ms)) {}

  /// The clock is looked at once in a thousand events.
  bool reached(std::uint64_t next) noexcept {
    if (next >= end_) return true;
    if (next < look_at_) return false;
    look_at_ = next + kLookEvery;
    return timed_ && Clock::now() >= deadline_;
  }
  std::uint64_t left(std::uint64_t next) const noexcept { return end_ - next; }

 private:
  static constexpr std::uint64_t kLookEvery = 1024;
  const bool timed_;
  const std::uint64_t end_;
  const Clock::time_point deadline_;
  std::uint64_t look_at_ = kLookEvery;
};

/// Takes until nothing came after `over` was seen. @return what it found.
template <class Consumer, class Sink>
ConsumerReport take_all(Consumer& consumer, Sink& sink, std::size_t burst_count, Pause pause,
                        const std::atomic<bool>& over) {
  bool last = false;  // seen before the take that found nothing
  for (;;) {
    if (consumer.take(burst_count, sink) != 0) continue;
    if (last) break;
    last = over.load(std::memory_order_acquire);
    if (!last) pause();
  }
  return {sink.tally(), consumer.lost(), Clock::now()};
}

/// The threads of one throughput run over a queue; at the case's rate, or flat out.
template <class Queue, class Source = PatternSource<Queue::kPayloadBytes>>
class ThroughputRun {
 public:
  ThroughputRun(const Case& one, Queue& queue)
      : one_(one),
        rig_(Placement::of(one), 1 + one.consumer_count),
        queue_(queue),
        reports_(one.consumer_count) {}

  Outcome operator()() {
    std::vector<std::function<void()>> roles{[this] { produce(); }};
    for (unsigned i = 0; i < one_.consumer_count; ++i) {
      roles.emplace_back([this, i] { consume(i); });
    }
    rig_.run(roles);
    Clock::time_point finished = published_at_;
    for (const ConsumerReport& report : reports_) finished = std::max(finished, report.finished);
    Outcome outcome = judge(reports_, published_, Queue::kDelivery);
    outcome.publish_seconds = seconds_between(begun_, published_at_);
    outcome.seconds = seconds_between(begun_, finished);
    return outcome;
  }

 private:
  void produce() {
    typename Queue::Producer producer(queue_);
    rig_.meet();
    begun_ = Clock::now();
    published_ = one_.rate_hz == 0 ? publish(producer) : publish_paced(producer);
    published_at_ = Clock::now();
    over_.store(true, std::memory_order_release);
    rig_.meet();  // the producer outlives its consumers' reads
  }

  std::uint64_t publish(typename Queue::Producer& producer) {
    Source source;
    Pause pause = rig_.pause();
    Until until(one_, begun_);
    std::uint64_t next = 0;
    while (!until.reached(next)) {
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(one_.burst_count, until.left(next)));
      const std::size_t done = producer.offer(next, count, source);
      if (done == 0) pause();
      next += done;
    }
    // A fan-out may have given part of the last burst to some lanes: offers it again.
    if constexpr (requires { producer.ahead(); }) {
      while (producer.ahead() != next) {
        const std::size_t done = producer.offer(next, producer.ahead() - next, source);
        if (done == 0) pause();
        next += done;
      }
    }
    return next;
  }

  std::uint64_t publish_paced(typename Queue::Producer& producer) {
    Source source;
    const auto deadline = begun_ + std::chrono::milliseconds(one_.duration_ms);
    std::uint64_t next = 0;
    for (Pacer pacer(one_.rate_hz); Clock::now() < deadline;) {
      pacer.wait();
      next += producer.offer(next, 1, source);
    }
    return next;
  }

  void consume(unsigned index) {
    typename Queue::Consumer consumer(queue_, index);
    PatternSink<Queue::kPayloadBytes, Queue::kDelivery> sink;
    rig_.meet();
    reports_[index] = take_all(consumer, sink, one_.burst_count, rig_.pause(), over_);
    rig_.meet();
  }

  const Case one_;
  Rig rig_;
  Queue& queue_;
  std::vector<ConsumerReport> reports_;
  std::atomic<bool> over_{false};
  std::uint64_t published_ = 0;
  Clock::time_point begun_{};
  Clock::time_point published_at_{};
};

/// "throughput": events a second that reached a consumer, for one consumer (shared: all).
/// Variant "memory": payloads are made in memory, not in registers.
template <class Queue>
Record throughput(const Case& one) {
  Queue queue(one);
  const Outcome outcome =
      one.variant == "memory"
          ? ThroughputRun<Queue, MemorySource<Queue::kPayloadBytes>>(one, queue)()
          : ThroughputRun<Queue>(one, queue)();
  const double each = Queue::kDelivery == Delivery::kShared ? 1.0 : one.consumer_count;
  const double value = static_cast<double>(outcome.received) / each / outcome.seconds;
  return outcome_record(outcome, value, "events/s");
}

/// "same-thread": what a queue costs when no line has to move. One consumer.
template <class Queue>
Record same_thread(const Case& one) {
  Placement::of(one).enter(0);
  Queue queue(with_one_consumer(one));
  typename Queue::Producer producer(queue);
  typename Queue::Consumer consumer(queue, 0);
  PatternSource<Queue::kPayloadBytes> source;
  PatternSink<Queue::kPayloadBytes, Queue::kDelivery> sink;
  const Clock::time_point begin = Clock::now();
  std::uint64_t next = 0;
  for (Until until(one, begin); !until.reached(next);) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(one.burst_count, until.left(next)));
    const std::size_t done = producer.offer(next, count, source);
    next += done;
    std::size_t taken = 0;
    while (taken < done) {
      const std::size_t now = consumer.take(done - taken, sink);
      if (now == 0) break;  // lost: the verdict says so
      taken += now;
    }
  }
  const double seconds = seconds_between(begin, Clock::now());
  Outcome outcome = judge({{sink.tally(), consumer.lost(), {}}}, next, Queue::kDelivery);
  outcome.seconds = outcome.publish_seconds = seconds;
  return outcome_record(outcome, outcome.seconds * 1e9 / static_cast<double>(next), "ns/event");
}

}  // namespace evring::bench
