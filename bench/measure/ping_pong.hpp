// SPDX-License-Identifier: MIT
// Round trips over two queues, in turns with the bare lines: one process, the same
// two threads, blocks of a few hundred rounds, so that a slow phase of the machine
// meets all three alike. The value is the median over blocks of a block's mean.
#pragma once

#include <bench/measure/bare_lines.hpp>
#include <bench/measure/statistics.hpp>

#include <cstdint>
#include <thread>
#include <vector>

namespace evring::bench {

struct PingPongOptions {
  std::size_t slot_count = 4096;
  unsigned block_count = 40;
  std::uint64_t rounds_per_block = 500;
  Placement placement{};
};

struct PingPongResult {
  double round_trip_ns = 0;
  double one_line_ns = 0;  ///< bare: one line that both write
  double two_line_ns = 0;  ///< bare: two lines, one writer each
  bool exact = false;      ///< every payload was the one due, both ways
};

template <class Queue>
class PingPongRun {
 public:
  explicit PingPongRun(const PingPongOptions& options)
      : options_(options),
        placement_(options.placement.for_threads(2)),
        pause_(options.placement.oversubscribed(2)),
        barrier_(2, pause_),
        there_({.slot_count = options.slot_count, .consumer_count = 1}),
        back_({.slot_count = options.slot_count, .consumer_count = 1}) {}

  PingPongResult operator()() {
    std::jthread answering([this] { answer(); });
    std::jthread asking([this] { ask(); });
    asking.join();
    answering.join();
    return {median(queue_ns_), median(one_line_ns_), median(two_line_ns_),
            clean(asked_) && clean(answered_)};
  }

 private:
  using Sink = PatternSink<Queue::kPayloadBytes, Queue::kDelivery>;

  bool clean(const Tally& tally) const noexcept {
    return tally.torn == 0 && tally.out_of_order == 0 && tally.skipped == 0 &&
           tally.received == options_.block_count * options_.rounds_per_block;
  }

  template <class Round>
  void block(std::vector<double>& means, Round&& round) {
    barrier_.arrive_and_wait();
    const Clock::time_point begin = Clock::now();
    for (std::uint64_t i = 0; i < options_.rounds_per_block; ++i) round(next_++);
    means.push_back(seconds_between(begin, Clock::now()) * 1e9 /
                    static_cast<double>(options_.rounds_per_block));
    next_ -= options_.rounds_per_block;
  }

  template <class Round>
  void answer_block(std::uint64_t first, Round&& round) {
    barrier_.arrive_and_wait();
    for (std::uint64_t i = 0; i < options_.rounds_per_block; ++i) round(first + i);
  }

  static void send(typename Queue::Producer& producer, std::uint64_t sequence) {
    PatternSource<Queue::kPayloadBytes> source;
    while (producer.offer(sequence, 1, source) == 0) {
    }
  }
  void receive(typename Queue::Consumer& consumer, Sink& sink) {
    while (consumer.take(1, sink) == 0) {
      if (options_.placement.oversubscribed(2)) sched_yield();
    }
  }

  void ask() {
    placement_.enter(0);
    typename Queue::Producer producer(there_);
    typename Queue::Consumer consumer(back_, 0);
    Sink sink;
    barrier_.arrive_and_wait();
    for (unsigned i = 0; i < options_.block_count; ++i) {
      block(one_line_ns_, [this](std::uint64_t round) { bare_one_line_ask(line_, round); });
      block(queue_ns_, [&](std::uint64_t round) {
        send(producer, round);
        receive(consumer, sink);
      });
      block(two_line_ns_,
            [this](std::uint64_t round) { bare_two_line_ask(line_there_, line_back_, round); });
      next_ += options_.rounds_per_block;
    }
    asked_ = sink.tally();
    barrier_.arrive_and_wait();
  }

  void answer() {
    placement_.enter(1);
    typename Queue::Producer producer(back_);
    typename Queue::Consumer consumer(there_, 0);
    Sink sink;
    barrier_.arrive_and_wait();
    for (unsigned i = 0; i < options_.block_count; ++i) {
      const std::uint64_t first = i * options_.rounds_per_block;
      answer_block(first, [this](std::uint64_t round) { bare_one_line_answer(line_, round); });
      answer_block(first, [&](std::uint64_t round) {
        receive(consumer, sink);
        send(producer, round);
      });
      answer_block(first, [this](std::uint64_t round) {
        bare_two_line_answer(line_there_, line_back_, round);
      });
    }
    answered_ = sink.tally();
    barrier_.arrive_and_wait();
  }

  const PingPongOptions options_;
  const Placement placement_;
  const Pause pause_;
  SpinBarrier barrier_;
  Queue there_;
  Queue back_;
  SharedLine line_;
  SharedLine line_there_;
  SharedLine line_back_;
  std::uint64_t next_ = 0;
  std::vector<double> queue_ns_;
  std::vector<double> one_line_ns_;
  std::vector<double> two_line_ns_;
  Tally asked_;
  Tally answered_;
};

template <class Queue>
PingPongResult run_ping_pong(const PingPongOptions& options) {
  return PingPongRun<Queue>(options)();
}

}  // namespace evring::bench
