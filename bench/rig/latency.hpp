// SPDX-License-Identifier: MIT
// One-way latency at a given rate: each payload carries the tick it was published at, the
// consumer takes the tick at which it had checked it. The offset between the counters of the
// two cores is measured first, and taken out.
#pragma once

#include <bench/rig/bare_line.hpp>
#include <bench/rig/threads.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace evring::bench {

/// Pattern with the publishing tick in word 1; the rest follows from both.
template <std::size_t kPayloadBytes>
struct StampedSource {
  Words<kPayloadBytes> operator()(std::uint64_t sequence) const noexcept {
    return stamped(sequence, ticks_now());
  }
  static Words<kPayloadBytes> stamped(std::uint64_t sequence, std::uint64_t ticks) noexcept {
    Words<kPayloadBytes> words;
    words[0] = sequence;
    words[1] = ticks;
    for (std::size_t i = 2; i < words.size(); ++i) words[i] = words[i - 2] + kPatternStep;
    return words;
  }
  template <class Word>
  static bool is_whole(Word&& word) noexcept {
    const std::uint64_t first[] = {word(0), word(1)};
    std::uint64_t difference = 0;
    for (std::size_t i = 2; i < kPayloadBytes / 8; ++i) {
      difference |= word(i) ^ (first[i % 2] + i / 2 * kPatternStep);
    }
    return difference == 0;
  }
};

/// Takes the tick at which each payload was checked, into `samples` by sequence.
template <std::size_t kPayloadBytes>
class StampedSink {
 public:
  struct Finding {
    std::uint64_t sequence;
    std::int64_t ticks;  ///< since it was published
    bool whole;
  };

  StampedSink(std::span<std::int64_t> samples, std::int64_t offset_ticks)
      : samples_(samples), offset_ticks_(offset_ticks) {}

  void operator()(const Words<kPayloadBytes>& words) noexcept {
    count(examine([&words](std::size_t index) noexcept { return words[index]; }));
  }

  template <class Word>
  Finding examine(Word&& word) const noexcept {
    const bool whole = StampedSource<kPayloadBytes>::is_whole(word);
    return {word(0), static_cast<std::int64_t>(ticks_now() - word(1)) - offset_ticks_, whole};
  }

  void count(Finding found) noexcept {
    if (!found.whole || found.sequence != next_ || next_ >= samples_.size()) {
      ++wrong_;
    } else {
      samples_[next_] = found.ticks;
    }
    ++next_;
  }

  std::uint64_t received() const noexcept { return next_; }
  std::uint64_t wrong() const noexcept { return wrong_; }

 private:
  std::span<std::int64_t> samples_;
  std::int64_t offset_ticks_;
  std::uint64_t next_ = 0;
  std::uint64_t wrong_ = 0;
};

template <class Queue>
class LatencyRun {
 public:
  explicit LatencyRun(const Case& one)
      : rate_hz_(one.rate_hz),
        event_count_(std::max<std::uint64_t>(
            100, static_cast<std::uint64_t>(one.rate_hz * one.duration_ms / 1e3))),
        rig_(Placement::of(one), 2),
        queue_(with_one_consumer(one)) {}

  Record operator()() {
    rig_.run({[this] { produce(); }, [this] { consume(); }});
    return record_;
  }

 private:
  static constexpr std::uint64_t kBlocks = 8;
  static constexpr std::uint64_t kBlockRounds = 250;

  void produce() {
    typename Queue::Producer producer(queue_);
    rig_.meet();
    offset_.ask();
    rig_.meet();
    const double one_line_ns = ask_bare_line();
    rig_.meet();
    const Clock::time_point begin = Clock::now();
    StampedSource<Queue::kPayloadBytes> source;
    Pause pause = rig_.pause();
    Pacer pacer(rate_hz_);
    for (std::uint64_t sequence = 0; sequence < event_count_; ++sequence) {
      pacer.wait();
      while (producer.offer(sequence, 1, source) == 0) pause();
    }
    const double seconds = seconds_between(begin, Clock::now());
    rig_.meet();
    record_["reached_hz"] = static_cast<double>(event_count_) / seconds;
    record_["one_line_ns"] = one_line_ns;
  }

  /// The same threads on the same CPUs within the same milliseconds: what the latency is
  /// held against.
  double ask_bare_line() {
    std::vector<double> means;
    for (std::uint64_t block = 0; block < kBlocks; ++block) {
      const Clock::time_point begin = Clock::now();
      for (std::uint64_t i = 0; i < kBlockRounds; ++i) line_.ask(block * kBlockRounds + i);
      means.push_back(seconds_between(begin, Clock::now()) * 1e9 / kBlockRounds);
    }
    return median(means);
  }

  void consume() {
    typename Queue::Consumer consumer(queue_, 0);
    rig_.meet();
    offset_.answer();
    rig_.meet();
    for (std::uint64_t i = 0; i < kBlocks * kBlockRounds; ++i) line_.answer(i);
    std::vector<std::int64_t> samples(event_count_);
    StampedSink<Queue::kPayloadBytes> sink(samples, offset_.offset_ticks());
    const Pause pause = rig_.pause();
    rig_.meet();
    while (sink.received() + consumer.lost() < event_count_) {
      if (consumer.take(1, sink) == 0 && pause.yields()) sched_yield();
    }
    std::sort(samples.begin(), samples.end());
    const bool exact = sink.wrong() + consumer.lost() == 0 && sink.received() == event_count_;
    summarise(samples, exact);
    rig_.meet();
  }

  void summarise(const std::vector<std::int64_t>& sorted, bool exact) {
    record_["exact"] = exact;
    record_["unit"] = "ns";
    for (const auto& [key, fraction] : {std::pair{"value", 0.5},
                                        {"p90_ns", 0.9},
                                        {"p99_ns", 0.99},
                                        {"p999_ns", 0.999},
                                        {"max_ns", 1.0}}) {
      record_[key] = static_cast<double>(percentile_sorted(sorted, fraction)) / ticks_per_ns();
    }
  }

  const double rate_hz_;
  const std::uint64_t event_count_;
  Rig rig_;
  Queue queue_;
  OffsetProbe offset_;
  OneLine line_;
  Record record_;
};

/// "latency"
template <class Queue>
Record latency(const Case& one) {
  return LatencyRun<Queue>(one)();
}

}  // namespace evring::bench
