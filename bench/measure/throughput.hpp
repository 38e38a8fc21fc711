// SPDX-License-Identifier: MIT
// One producer at full speed, some consumers, every payload checked: the same loop
// for every contender. The producer is thread 0, consumer i is thread 1 + i.
// Invariant: a run counts only if its Verdict is exact.
#pragma once

#include <bench/measure/pattern.hpp>
#include <bench/measure/thread.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace evring::bench {

struct RunOptions {
  std::size_t slot_count = 4096;
  unsigned consumer_count = 1;
  std::size_t burst_count = 32;          ///< events an offer and a take; at most kBurstMax
  std::uint64_t event_count = 1 << 20;   ///< stop after so many …
  std::chrono::nanoseconds duration{0};  ///< … or after so long, where it is not 0
  Placement placement{};
};

struct ThroughputResult {
  std::uint64_t published = 0;
  double publish_seconds = 0;  ///< until the producer had offered all
  double seconds = 0;          ///< until the last consumer had seen the end
  Verdict verdict;

  double published_per_second() const { return static_cast<double>(published) / publish_seconds; }
  /// Events that reached a consumer, for one consumer (shared: all of them).
  double delivered_per_second(unsigned consumer_count, Delivery delivery) const {
    const double each = delivery == Delivery::kShared ? 1.0 : consumer_count;
    return static_cast<double>(verdict.received) / each / seconds;
  }
};

/// What one consumer thread brings home.
struct ConsumerReport {
  Tally tally;
  std::uint64_t lost = 0;
  Clock::time_point finished{};
};

/// Adds the tallies up and holds them against what was published.
inline Verdict judge(const std::vector<ConsumerReport>& reports, std::uint64_t published,
                     Delivery delivery) {
  Verdict verdict;
  Tally total;
  bool each_exact = true;
  for (const ConsumerReport& report : reports) {
    total.received += report.tally.received;
    total.torn += report.tally.torn;
    total.out_of_order += report.tally.out_of_order;
    total.sum += report.tally.sum;
    total.square_sum += report.tally.square_sum;
    verdict.lost += report.lost;
    if (delivery != Delivery::kShared) {
      each_exact = each_exact && report.tally.received + report.lost == published;
      each_exact = each_exact && report.tally.skipped <= report.lost;
    }
  }
  if (delivery == Delivery::kShared) {
    std::uint64_t sum = 0;
    std::uint64_t square_sum = 0;
    for (std::uint64_t sequence = 0; sequence < published; ++sequence) {
      sum += sequence;
      square_sum += sequence * sequence;
    }
    each_exact = total.received == published && total.sum == sum && total.square_sum == square_sum;
  }
  verdict.received = total.received;
  verdict.torn = total.torn;
  verdict.out_of_order = total.out_of_order;
  // Of events that are shared out, who gets which is nobody's promise, nor when.
  const bool ordered = delivery == Delivery::kShared || total.out_of_order == 0;
  verdict.exact = each_exact && total.torn == 0 && ordered;
  return verdict;
}

/// The threads of one throughput run over one queue.
template <class Queue>
class ThroughputRun {
 public:
  explicit ThroughputRun(const RunOptions& options)
      : options_(options),
        placement_(options.placement.for_threads(1 + options.consumer_count)),
        pause_(options.placement.oversubscribed(1 + options.consumer_count)),
        barrier_(1 + options.consumer_count, pause_),
        queue_({.slot_count = options.slot_count, .consumer_count = options.consumer_count}),
        reports_(options.consumer_count) {}

  ThroughputResult operator()() {
    std::vector<std::jthread> consumers;
    for (unsigned i = 0; i < options_.consumer_count; ++i) {
      consumers.emplace_back([this, i] { consume(i); });
    }
    std::jthread producer([this] { produce(); });
    producer.join();
    for (std::jthread& consumer : consumers) consumer.join();
    return result();
  }

 private:
  void produce() {
    placement_.enter(0);
    typename Queue::Producer producer(queue_);
    barrier_.arrive_and_wait();
    begun_ = Clock::now();
    publish(producer);
    published_at_ = Clock::now();
    over_.store(true, std::memory_order_release);
    barrier_.arrive_and_wait();  // the producer outlives its consumers' reads
  }

  void publish(typename Queue::Producer& producer) {
    constexpr std::uint64_t kLookAtClockEvery = 1024;
    PatternSource<Queue::kPayloadBytes> source;
    Pause pause = pause_;
    const bool timed = options_.duration.count() != 0;
    const std::uint64_t end = timed ? ~std::uint64_t{0} : options_.event_count;
    const Clock::time_point deadline = begun_ + options_.duration;
    std::uint64_t next = 0;
    std::uint64_t look_at = kLookAtClockEvery;
    while (next < end) {
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(options_.burst_count, end - next));
      const std::size_t done = producer.offer(next, count, source);
      if (done == 0) pause();
      next += done;
      if (next >= look_at) {
        look_at = next + kLookAtClockEvery;
        if (timed && Clock::now() >= deadline) break;
      }
    }
    finish(producer, next, source);
    published_ = next;
  }

  /// A fan-out may have given part of the last burst to some lanes: offers it again.
  template <class Source>
  void finish(typename Queue::Producer& producer, std::uint64_t& next, Source& source) {
    if constexpr (requires { producer.ahead(); }) {
      Pause pause = pause_;
      while (producer.ahead() != next) {
        const std::size_t done = producer.offer(next, producer.ahead() - next, source);
        if (done == 0) pause();
        next += done;
      }
    }
  }

  void consume(unsigned index) {
    placement_.enter(1 + index);
    typename Queue::Consumer consumer(queue_, index);
    PatternSink<Queue::kPayloadBytes, Queue::kDelivery> sink;
    barrier_.arrive_and_wait();
    Pause pause = pause_;
    bool over = false;  // seen before the take that found nothing
    for (;;) {
      const std::size_t count = consumer.take(options_.burst_count, sink);
      if (count != 0) continue;
      if (over) break;
      over = over_.load(std::memory_order_acquire);
      if (!over) pause();
    }
    reports_[index] = {sink.tally(), consumer.lost(), Clock::now()};
    barrier_.arrive_and_wait();
  }

  ThroughputResult result() const {
    ThroughputResult result;
    result.published = published_;
    result.publish_seconds = seconds_between(begun_, published_at_);
    Clock::time_point finished = published_at_;
    for (const ConsumerReport& report : reports_) finished = std::max(finished, report.finished);
    result.seconds = seconds_between(begun_, finished);
    result.verdict = judge(reports_, published_, Queue::kDelivery);
    return result;
  }

  const RunOptions options_;
  const Placement placement_;
  const Pause pause_;
  SpinBarrier barrier_;
  Queue queue_;
  std::vector<ConsumerReport> reports_;
  std::atomic<bool> over_{false};
  std::uint64_t published_ = 0;
  Clock::time_point begun_{};
  Clock::time_point published_at_{};
};

template <class Queue>
ThroughputResult run_throughput(const RunOptions& options) {
  return ThroughputRun<Queue>(options)();
}

}  // namespace evring::bench
