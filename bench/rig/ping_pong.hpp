// SPDX-License-Identifier: MIT
// Round trips over two queues, in turns with bare lines: the same two threads, blocks of a
// few hundred rounds, so that a slow phase of the machine meets all three alike. The value
// is the median over blocks of a block's mean.
#pragma once

#include <bench/rig/bare_line.hpp>
#include <bench/rig/threads.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace evring::bench {

template <class Queue>
class PingPongRun {
 public:
  explicit PingPongRun(const Case& one)
      : block_rounds_(std::max<std::uint64_t>(
            1, (one.event_count == 0 ? 20'000 : one.event_count) / kBlocks)),
        rig_(Placement::of(one), 2),
        there_(with_one_consumer(one)),
        back_(with_one_consumer(one)) {}

  Record operator()() {
    rig_.run({[this] { ask(); }, [this] { answer(); }});
    return {{"value", median(queue_ns_)},
            {"unit", "ns"},
            {"exact", clean(asked_) && clean(answered_)},
            {"one_line_ns", median(one_line_ns_)},
            {"two_line_ns", median(two_lines_ns_)}};
  }

 private:
  static constexpr std::uint64_t kBlocks = 40;

  bool clean(const Tally& tally) const noexcept {
    return tally.torn == 0 && tally.out_of_order == 0 && tally.skipped == 0 &&
           tally.received == kBlocks * block_rounds_;
  }

  /// One end of both queues.
  struct End {
    End(Queue& out, Queue& in, Pause wait) : producer(out), consumer(in, 0), pause(wait) {}
    void send(std::uint64_t sequence) {
      PatternSource<Queue::kPayloadBytes> source;
      while (producer.offer(sequence, 1, source) == 0) {
      }
    }
    void receive() {
      while (consumer.take(1, sink) == 0) {
        if (pause.yields()) sched_yield();
      }
    }
    typename Queue::Producer producer;
    typename Queue::Consumer consumer;
    PatternSink<Queue::kPayloadBytes, Queue::kDelivery> sink;
    Pause pause;
  };

  /// @return ns a round.
  template <class Round>
  double rounds_of(std::uint64_t block, Round&& round) {
    rig_.meet();
    const Clock::time_point begin = Clock::now();
    for (std::uint64_t i = 0; i < block_rounds_; ++i) round(block * block_rounds_ + i);
    return seconds_between(begin, Clock::now()) * 1e9 / static_cast<double>(block_rounds_);
  }

  void ask() {
    End end(there_, back_, rig_.pause());
    rig_.meet();
    for (std::uint64_t block = 0; block < kBlocks; ++block) {
      const auto one_line = [this](std::uint64_t round) { line_.ask(round); };
      const auto queue = [&end](std::uint64_t round) {
        end.send(round);
        end.receive();
      };
      const auto two_lines = [this](std::uint64_t round) { lines_.ask(round); };
      one_line_ns_.push_back(rounds_of(block, one_line));
      queue_ns_.push_back(rounds_of(block, queue));
      two_lines_ns_.push_back(rounds_of(block, two_lines));
    }
    asked_ = end.sink.tally();
    rig_.meet();
  }

  void answer() {
    End end(back_, there_, rig_.pause());
    rig_.meet();
    for (std::uint64_t block = 0; block < kBlocks; ++block) {
      rounds_of(block, [this](std::uint64_t round) { line_.answer(round); });
      rounds_of(block, [&end](std::uint64_t round) {
        end.receive();
        end.send(round);
      });
      rounds_of(block, [this](std::uint64_t round) { lines_.answer(round); });
    }
    answered_ = end.sink.tally();
    rig_.meet();
  }

  const std::uint64_t block_rounds_;
  Rig rig_;
  Queue there_;
  Queue back_;
  OneLine line_;
  TwoLines lines_;
  std::vector<double> queue_ns_;
  std::vector<double> one_line_ns_;
  std::vector<double> two_lines_ns_;
  Tally asked_;
  Tally answered_;
};

/// "ping-pong"
template <class Queue>
Record ping_pong(const Case& one) {
  return PingPongRun<Queue>(one)();
}

}  // namespace evring::bench
