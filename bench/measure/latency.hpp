// SPDX-License-Identifier: MIT
// One-way latency at a given rate: each payload carries the tick it was published
// at, the consumer takes the tick at which it had checked it. The offset between the
// counters of the two cores is measured first, over a bare line, and taken out.
#pragma once

#include <bench/measure/bare_lines.hpp>
#include <bench/measure/statistics.hpp>
#include <bench/measure/ticks.hpp>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

namespace evring::bench {

struct LatencyOptions {
  std::size_t slot_count = 4096;
  double rate_hz = 100'000;
  std::uint64_t event_count = 20'000;
  Placement placement{};
};

struct LatencyResult {
  double p50_ns = 0;
  double p90_ns = 0;
  double p99_ns = 0;
  double p999_ns = 0;
  double max_ns = 0;
  double reached_hz = 0;   ///< the rate that the producer kept
  double one_line_ns = 0;  ///< there and back over one bare line, just before
  bool exact = false;
};

/// Pattern with the publishing tick in word 1; the rest follows from both.
template <std::size_t kPayloadBytes>
struct StampedSource {
  Words<kPayloadBytes> operator()(std::uint64_t sequence) const noexcept {
    Words<kPayloadBytes> words;
    words[0] = sequence;
    words[1] = ticks_now();
    for (std::size_t i = 2; i < words.size(); ++i) words[i] = words[i - 2] + kPatternStep;
    return words;
  }
};

template <std::size_t kPayloadBytes>
class StampedSink {
 public:
  StampedSink(std::uint64_t event_count, std::int64_t offset_ticks)
      : offset_ticks_(offset_ticks), samples_(event_count) {}

  void operator()(const Words<kPayloadBytes>& words) noexcept {
    bool whole = words[0] == next_;
    for (std::size_t i = 2; i < words.size(); ++i) {
      whole = whole && words[i] == words[i - 2] + kPatternStep;
    }
    const auto ticks = static_cast<std::int64_t>(ticks_now() - words[1]) - offset_ticks_;
    if (!whole || next_ >= samples_.size()) {
      ++wrong_;
    } else {
      samples_[next_] = ticks;
    }
    ++next_;
  }

  std::uint64_t received() const noexcept { return next_; }
  std::uint64_t wrong() const noexcept { return wrong_; }
  std::vector<std::int64_t> take_samples() { return std::move(samples_); }

 private:
  const std::int64_t offset_ticks_;
  std::vector<std::int64_t> samples_;
  std::uint64_t next_ = 0;
  std::uint64_t wrong_ = 0;
};

/// Ticks by which side 1's counter is ahead of side 0's, from the fastest of many
/// exchanges. Both sides call it at once, each with its own number.
class OffsetProbe {
 public:
  void ask() noexcept {
    std::uint64_t fastest = ~std::uint64_t{0};
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      const std::uint64_t begin = ticks_now();
      bare_two_line_ask(there_, back_, round);
      const std::uint64_t end = ticks_now();
      if (end - begin < fastest) {
        fastest = end - begin;
        const std::uint64_t remote = remote_.word.load(std::memory_order_relaxed);
        offset_ = static_cast<std::int64_t>(remote - (begin + (end - begin) / 2));
      }
    }
  }
  void answer() noexcept {
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      while (there_.word.load(std::memory_order_acquire) != round + 1) {
      }
      remote_.word.store(ticks_now(), std::memory_order_relaxed);
      back_.word.store(round + 1, std::memory_order_release);
    }
  }
  std::int64_t offset_ticks() const noexcept { return offset_; }

 private:
  static constexpr std::uint64_t kRounds = 2000;
  SharedLine there_;
  SharedLine back_;
  SharedLine remote_;
  std::int64_t offset_ = 0;
};

template <class Queue>
class LatencyRun {
 public:
  explicit LatencyRun(const LatencyOptions& options)
      : options_(options),
        placement_(options.placement.for_threads(2)),
        pause_(options.placement.oversubscribed(2)),
        barrier_(2, pause_),
        queue_({.slot_count = options.slot_count, .consumer_count = 1}) {}

  LatencyResult operator()() {
    std::jthread consumer([this] { consume(); });
    std::jthread producer([this] { produce(); });
    producer.join();
    consumer.join();
    return result_;
  }

 private:
  void produce() {
    placement_.enter(0);
    typename Queue::Producer producer(queue_);
    barrier_.arrive_and_wait();
    offset_.ask();
    barrier_.arrive_and_wait();
    ask_bare_line();
    barrier_.arrive_and_wait();
    const double ticks_between = ticks_per_ns() * 1e9 / options_.rate_hz;
    const Clock::time_point begin = Clock::now();
    publish_paced(producer, static_cast<std::uint64_t>(ticks_between));
    result_.reached_hz =
        static_cast<double>(options_.event_count) / seconds_between(begin, Clock::now());
    barrier_.arrive_and_wait();
  }

  /// The same threads on the same CPUs within the same milliseconds: what the latency is
  /// held against.
  void ask_bare_line() {
    std::vector<double> means;
    for (std::uint64_t block = 0; block < kBlocks; ++block) {
      const Clock::time_point begin = Clock::now();
      for (std::uint64_t i = 0; i < kBlockRounds; ++i) {
        bare_one_line_ask(line_, block * kBlockRounds + i);
      }
      means.push_back(seconds_between(begin, Clock::now()) * 1e9 / kBlockRounds);
    }
    result_.one_line_ns = median(means);
  }

  void publish_paced(typename Queue::Producer& producer, std::uint64_t ticks_between) {
    StampedSource<Queue::kPayloadBytes> source;
    Pause pause = pause_;
    std::uint64_t due = ticks_now();
    for (std::uint64_t sequence = 0; sequence < options_.event_count; ++sequence) {
      while (static_cast<std::int64_t>(ticks_now() - due) < 0) {
      }
      while (producer.offer(sequence, 1, source) == 0) pause();
      due = std::max(due + ticks_between, ticks_now() - 8 * ticks_between);
    }
  }

  void consume() {
    placement_.enter(1);
    typename Queue::Consumer consumer(queue_, 0);
    barrier_.arrive_and_wait();
    offset_.answer();
    barrier_.arrive_and_wait();
    for (std::uint64_t i = 0; i < kBlocks * kBlockRounds; ++i) bare_one_line_answer(line_, i);
    StampedSink<Queue::kPayloadBytes> sink(options_.event_count, offset_.offset_ticks());
    barrier_.arrive_and_wait();
    while (sink.received() + consumer.lost() < options_.event_count) {
      if (consumer.take(1, sink) == 0 && options_.placement.oversubscribed(2)) sched_yield();
    }
    summarise(sink, consumer.lost());
    barrier_.arrive_and_wait();
  }

  void summarise(StampedSink<Queue::kPayloadBytes>& sink, std::uint64_t lost) {
    std::vector<std::int64_t> samples = sink.take_samples();
    std::sort(samples.begin(), samples.end());
    const auto at = [&samples](double fraction) {
      return static_cast<double>(percentile_sorted(samples, fraction)) / ticks_per_ns();
    };
    result_.p50_ns = at(0.50);
    result_.p90_ns = at(0.90);
    result_.p99_ns = at(0.99);
    result_.p999_ns = at(0.999);
    result_.max_ns = at(1.0);
    result_.exact = sink.wrong() == 0 && lost == 0 && sink.received() == options_.event_count;
  }

  static constexpr std::uint64_t kBlocks = 8;
  static constexpr std::uint64_t kBlockRounds = 250;

  const LatencyOptions options_;
  const Placement placement_;
  const Pause pause_;
  SpinBarrier barrier_;
  Queue queue_;
  OffsetProbe offset_;
  SharedLine line_;
  LatencyResult result_;
};

template <class Queue>
LatencyResult run_latency(const LatencyOptions& options) {
  return LatencyRun<Queue>(options)();
}

}  // namespace evring::bench
