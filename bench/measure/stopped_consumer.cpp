// SPDX-License-Identifier: MIT
// The consumers that will stop are forked before any thread starts, and attach when told.
#include <bench/measure/stopped_consumer.hpp>

#include <bench/measure/statistics.hpp>
#include <bench/measure/throughput.hpp>
#include <bench/measure/ticks.hpp>
#include <bench/peers/evring_contender.hpp>
#include <evring/local_ring.hpp>

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace evring::bench {
namespace {

using Queue = peers::EvringBare<56, Mode::kOverwrite>;
using Sink = PatternSink<Queue::kPayloadBytes, Queue::kDelivery>;

[[noreturn]] void fail(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

/// What a halting consumer and its parent say to each other.
struct Signals {
  std::atomic<unsigned> attach{0};  ///< how many of them may
  alignas(64) std::atomic<std::uint64_t> received{0};
};

class SharedSignals {
 public:
  SharedSignals()
      : page_(mmap(nullptr, sizeof(Signals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0)) {
    if (page_ == MAP_FAILED) fail("mmap");
    ::new (page_) Signals;
  }
  ~SharedSignals() { munmap(page_, sizeof(Signals)); }
  SharedSignals(const SharedSignals&) = delete;
  SharedSignals& operator=(const SharedSignals&) = delete;
  Signals* operator->() const noexcept { return static_cast<Signals*>(page_); }

 private:
  void* page_;
};

/// The process that halts: killed and reaped when this ends, if not before.
class HaltingConsumer {
 public:
  HaltingConsumer(Queue& queue, const SharedSignals& signals, unsigned number,
                  const Placement& placement)
      : pid_(fork()) {
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) consume(queue, signals, number, placement);
  }
  HaltingConsumer(HaltingConsumer&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  HaltingConsumer& operator=(HaltingConsumer&&) = delete;
  ~HaltingConsumer() { end(); }

  void halt(Halt how) {
    if (how == Halt::kKilled) return end();
    int status = 0;
    kill(pid_, SIGSTOP);
    while (waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {
    }
    if (!WIFSTOPPED(status)) throw std::runtime_error("the consumer to be stopped has ended");
  }
  void end() noexcept {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }

 private:
  [[noreturn]] static void consume(Queue& queue, const SharedSignals& signals, unsigned number,
                                   const Placement& placement) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin_this_thread(placement.cpus.at(1 % placement.cpus.size()));
    while (signals->attach.load(std::memory_order_acquire) <= number) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    Queue::Consumer consumer(queue, 1);
    Sink sink;
    for (;;) {
      if (consumer.take(32, sink) == 0) sched_yield();
      signals->received.store(sink.tally().received, std::memory_order_relaxed);
    }
  }

  pid_t pid_;
};

/// One stretch of publishing, and what the living consumer got of it.
struct Stretch {
  double per_second = 0;
  double delivered = 0;  ///< received of published
  double lost = 0;
  bool exact = false;
};

class StoppedRun {
 public:
  explicit StoppedRun(const StoppedOptions& options)
      : options_(options), queue_({.slot_count = options.slot_count, .consumer_count = 2}) {
    for (unsigned i = 0; i < options.turn_count; ++i) {
      halting_.emplace_back(queue_, signals_, i, options.placement);
    }
  }

  StoppedResult operator()() {
    Queue::Producer producer(queue_);
    for (unsigned turn = 0; turn < options_.turn_count; ++turn) {
      const bool first_without = turn % 2 == 0;
      if (first_without) measure(producer, without_);
      attach_and_halt(producer, turn);
      measure(producer, with_);
      halting_[turn].end();
      if (!first_without) measure(producer, without_);
    }
    return result();
  }

 private:
  struct Series {
    std::vector<double> rates;
    std::vector<double> delivered;
    double paced_lost = 0;
  };

  /// Publishes until the consumer of this turn has read some, then halts it.
  void attach_and_halt(Queue::Producer& producer, unsigned turn) {
    PatternSource<Queue::kPayloadBytes> source;
    signals_->received.store(0, std::memory_order_relaxed);
    signals_->attach.store(turn + 1, std::memory_order_release);
    std::uint64_t next = 0;
    while (signals_->received.load(std::memory_order_relaxed) < 1000) {
      next += producer.offer(next, 32, source);
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    halting_[turn].halt(options_.halt);
  }

  void measure(Queue::Producer& producer, Series& series) {
    const Stretch full = stretch(producer, 0, options_.turn);
    const Stretch paced = stretch(producer, kPacedHz, options_.turn / 3);
    series.rates.push_back(full.per_second);
    series.delivered.push_back(full.delivered);
    series.paced_lost += paced.lost;
    exact_ = exact_ && full.exact && paced.exact;
  }

  Stretch stretch(Queue::Producer& producer, double rate_hz, std::chrono::nanoseconds duration) {
    std::atomic<bool> over{false};
    SpinBarrier barrier(2, Pause(options_.placement.oversubscribed(2)));
    ConsumerReport report;
    std::jthread living([&] { report = consume(barrier, over); });
    std::uint64_t published = 0;
    double seconds = 0;
    std::jthread([&] {
      placement_.enter(0);
      barrier.arrive_and_wait();
      const Clock::time_point begin = Clock::now();
      published = publish(producer, rate_hz, begin + duration);
      seconds = seconds_between(begin, Clock::now());
      over.store(true, std::memory_order_release);
    }).join();
    living.join();
    const Verdict verdict = judge({report}, published, Queue::kDelivery);
    return {.per_second = static_cast<double>(published) / seconds,
            .delivered = static_cast<double>(verdict.received) / static_cast<double>(published),
            .lost = static_cast<double>(verdict.lost),
            .exact = verdict.exact};
  }

  std::uint64_t publish(Queue::Producer& producer, double rate_hz, Clock::time_point deadline) {
    PatternSource<Queue::kPayloadBytes> source;
    const std::size_t count = rate_hz == 0 ? options_.burst_count : 1;
    const std::uint64_t look_every = rate_hz == 0 ? 1024 : 1;
    const auto ticks_between =
        rate_hz == 0 ? 0 : static_cast<std::uint64_t>(ticks_per_ns() * 1e9 / rate_hz);
    std::uint64_t due = ticks_now();
    std::uint64_t next = 0;
    for (std::uint64_t look_at = look_every;;) {
      while (ticks_between != 0 && static_cast<std::int64_t>(ticks_now() - due) < 0) {
      }
      due += ticks_between;
      next += producer.offer(next, count, source);
      if (next < look_at) continue;
      look_at = next + look_every;
      if (Clock::now() >= deadline) return next;
    }
  }

  ConsumerReport consume(SpinBarrier& barrier, const std::atomic<bool>& over) {
    placement_.enter(1);
    Queue::Consumer consumer(queue_, 0);
    Sink sink;
    barrier.arrive_and_wait();
    Pause pause(options_.placement.oversubscribed(2));
    for (bool seen = false;;) {
      if (consumer.take(options_.burst_count, sink) != 0) continue;
      if (seen) break;
      seen = over.load(std::memory_order_acquire);
      if (!seen) pause();
    }
    return {sink.tally(), consumer.lost(), Clock::now()};
  }

  StoppedResult result() const {
    std::vector<double> rate_ratios;
    std::vector<double> delivered_ratios;
    for (std::size_t i = 0; i < with_.rates.size(); ++i) {
      rate_ratios.push_back(with_.rates[i] / without_.rates[i]);
      delivered_ratios.push_back(with_.delivered[i] / without_.delivered[i]);
    }
    return {.rate_ratio = median(rate_ratios),
            .delivered_ratio = median(delivered_ratios),
            .paced_lost_more = with_.paced_lost - without_.paced_lost,
            .rate_with = median(with_.rates),
            .rate_without = median(without_.rates),
            .exact = exact_};
  }

  const StoppedOptions options_;
  const Placement placement_ = options_.placement.for_threads(2);
  Queue queue_;
  SharedSignals signals_;
  std::vector<HaltingConsumer> halting_;
  Series with_;
  Series without_;
  bool exact_ = true;
};

}  // namespace

StoppedResult run_stopped_consumer(const StoppedOptions& options) { return StoppedRun(options)(); }

}  // namespace evring::bench
