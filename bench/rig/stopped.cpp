// SPDX-License-Identifier: MIT
// "stopped-consumer": a ring in overwrite mode whose producer and one living consumer run with
// a second consumer, a process of its own, that is stopped or dead; and without it, in turns.
// Those that will halt are forked before any thread starts, and attach when told.
#include <bench/contenders/evring.hpp>
#include <bench/rig/loops.hpp>
#include <bench/rig/processes.hpp>
#include <bench/rig/throughput.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace evring::bench {
namespace {

using Queue = EvringBare<56, Mode::kOverwrite>;
using Sink = PatternSink<Queue::kPayloadBytes, Queue::kDelivery>;

constexpr unsigned kTurns = 6;
constexpr double kPacedHz = 1e6;  // slow enough for a consumer to lose nothing

/// What a halting consumer and its parent say to each other.
struct Signals {
  std::atomic<unsigned> attach{0};  ///< how many of them may
  alignas(64) std::atomic<std::uint64_t> received{0};
};

[[noreturn]] void consume_until_halted(Queue& queue, Signals& signals, unsigned number) {
  while (signals.attach.load(std::memory_order_acquire) <= number) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  Queue::Consumer consumer(queue, 1);
  Sink sink;
  for (;;) {
    if (consumer.take(32, sink) == 0) sched_yield();
    signals.received.store(sink.tally().received, std::memory_order_relaxed);
  }
}

/// The turns with the consumer that halted, or those without it.
struct Series {
  std::vector<double> rates;
  std::vector<double> delivered;  ///< received of published, of the living one
};

std::vector<double> ratios(const std::vector<double>& over, const std::vector<double>& under) {
  std::vector<double> found;
  for (std::size_t i = 0; i < over.size(); ++i) found.push_back(over[i] / under[i]);
  return found;
}

class StoppedRun {
 public:
  explicit StoppedRun(const Case& one)
      : one_(one),
        kill_(one.variant == "killed"),
        queue_({.consumer_count = 2, .slot_count = one.slot_count}) {
    if (!kill_ && one.variant != "stopped") {
      throw std::invalid_argument("stopped-consumer: the variant is stopped or killed, not \"" +
                                  one.variant + "\"");
    }
    const int cpu = Placement::of(one).cpu_of(1);
    for (unsigned i = 0; i < kTurns; ++i) {
      halting_.emplace_back(cpu, [this, i] { consume_until_halted(queue_, *signals_, i); });
    }
  }

  Record operator()() {
    for (unsigned turn = 0; turn < kTurns; ++turn) {
      const bool first_without = turn % 2 == 0;
      if (first_without) measure(without_);
      attach_and_halt(turn);
      measure(with_);
      halting_[turn].kill();
      if (!first_without) measure(without_);
    }
    return {{"value", median(ratios(with_.rates, without_.rates))},
            {"unit", "x"},
            {"exact", exact_},
            {"delivered_ratio", median(ratios(with_.delivered, without_.delivered))},
            {"rate_with", median(with_.rates)},
            {"rate_without", median(without_.rates)}};
  }

 private:
  /// Publishes until the consumer of this turn has read some, then halts it.
  void attach_and_halt(unsigned turn) {
    Queue::Producer producer(queue_);
    PatternSource<Queue::kPayloadBytes> source;
    signals_->received.store(0, std::memory_order_relaxed);
    signals_->attach.store(turn + 1, std::memory_order_release);
    std::uint64_t next = 0;
    while (signals_->received.load(std::memory_order_relaxed) < 1000) {
      next += producer.offer(next, 32, source);
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    kill_ ? halting_[turn].kill() : halting_[turn].stop();
  }

  /// Flat out, and then for a third of the time at a pace that loses nothing.
  void measure(Series& series) {
    Case paced = one_;
    paced.rate_hz = kPacedHz;
    paced.duration_ms = std::max(1U, one_.duration_ms / 3);
    const Outcome outcome = ThroughputRun<Queue>(one_, queue_)();
    series.rates.push_back(static_cast<double>(outcome.published) / outcome.publish_seconds);
    series.delivered.push_back(static_cast<double>(outcome.received) /
                               static_cast<double>(outcome.published));
    exact_ = exact_ && outcome.exact && ThroughputRun<Queue>(paced, queue_)().exact;
  }

  const Case one_;
  const bool kill_;
  Queue queue_;
  Shared<Signals> signals_;
  std::vector<Child> halting_;
  Series with_;
  Series without_;
  bool exact_ = true;
};

}  // namespace

Record stopped_consumer(const Case& one) { return StoppedRun(one)(); }

}  // namespace evring::bench
