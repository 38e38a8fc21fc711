// SPDX-License-Identifier: MIT
// Real pollers, each on a thread of its own over its rings, fed in turns by this thread, so
// that a ratio compares the same seconds: one ring beside a thousand quiet ones, and three
// ways to wait. Invariant: a turn counts only if each event came whole, in order, once.
#include <bench/rig/latency.hpp>
#include <bench/rig/loops.hpp>
#include <bench/rig/threads.hpp>
#include <evring/local_ring.hpp>
#include <evring/poller/poller.hpp>
#include <evring/producer.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <semaphore>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace evring::bench {
namespace {

using Layout = BareSlot64;
using EventType = BasicEvent<Layout>;
using Payload = Words<56>;
using Source = StampedSource<56>;
using namespace std::chrono_literals;

constexpr unsigned kTurns = 3;  // of each poller
constexpr std::chrono::milliseconds kWarmUp = 15ms;
constexpr double kEventsAtLeast = 100;  // of a turn
constexpr std::size_t kSamplesMax = 1 << 18;

/// A thousand rings need several thousand descriptors.
void raise_descriptor_limit() noexcept {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

/// Ticks by which the second CPU's counter is ahead of the first's.
std::int64_t tick_offset(const Placement& placement) {
  std::vector<std::int64_t> offsets;
  for (int i = 0; i < 9; ++i) {
    OffsetProbe probe;
    Rig rig(placement, 2);
    const auto ask = [&] {
      rig.meet();
      probe.ask();
    };
    rig.run({ask, [&] {
               rig.meet();
               probe.answer();
             }});
    offsets.push_back(probe.offset_ticks());
  }
  return median(offsets);
}

double thread_cpu_seconds() noexcept {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// A poller and the producer that feeds the first of its rings. Made, fed and destroyed by
/// one thread, which stays pinned to the first CPU.
class FedPoller {
 public:
  FedPoller(const Case& one, const PollerOptions& options, std::int64_t tick_offset,
            unsigned quiet_ring_count = 0)
      : one_(one),
        tick_offset_(tick_offset),
        ring_(LocalRing::anonymous({.slot_count = one.slot_count,
                                    .slot = slot_of<Layout>(),
                                    .mode = Mode::kGated,
                                    .registered_count_max = 1})),
        producer_(ring_, WhenFull::kWait),
        poller_(options),
        batch_(one.burst_count) {
    raise_descriptor_limit();
    samples_.reserve(kSamplesMax);
    poller_.add(BasicPollSource<Layout>::of(ring_));
    for (unsigned i = 0; i < quiet_ring_count; ++i) {
      quiet_rings_.push_back(LocalRing::anonymous(
          {.slot_count = 64, .slot = slot_of<Layout>(), .registered_count_max = 1}));
      poller_.add(BasicPollSource<Layout>::of(quiet_rings_.back()));
    }
    thread_ = std::thread([this] { poll_when_asked(); });
  }
  ~FedPoller() {
    over_ = true;
    begin_.release();
    thread_.join();
  }
  FedPoller(const FedPoller&) = delete;
  FedPoller& operator=(const FedPoller&) = delete;

  /// Feeds it for a warm-up and the case's duration, at its rate.
  void turn() {
    samples_.clear();
    stop_ = std::stop_source();
    begin_.release();
    feed(kWarmUp);
    const Clock::time_point begin = Clock::now();
    const std::uint64_t before = received_.load(std::memory_order_relaxed);
    measuring_.store(true, std::memory_order_relaxed);
    feed(duration());
    const double seconds = seconds_between(begin, Clock::now());
    const std::uint64_t events = received_.load(std::memory_order_relaxed) - before;
    measuring_.store(false, std::memory_order_relaxed);
    stop_.request_stop();
    ended_.acquire();
    rates_.push_back(static_cast<double>(events) / seconds);
    std::sort(samples_.begin(), samples_.end());
    middles_.push_back(static_cast<double>(percentile_sorted(samples_, 0.50)) / ticks_per_ns());
    tails_.push_back(static_cast<double>(percentile_sorted(samples_, 0.99)) / ticks_per_ns());
    const double whole = std::chrono::duration<double>(kWarmUp + duration()).count();
    cpu_shares_.push_back(cpu_seconds_ / whole);
    exact_ = exact_ && wrong_ == 0 && received_.load() == next_;
  }

  /// Medians over the turns; p50 of publish to handler, at full speed of each burst's first
  /// event; the share of a CPU that the poller took.
  Record summary() const {
    return {{"exact", exact_},
            {"events_per_second", median(rates_)},
            {"p50_ns", median(middles_)},
            {"p99_ns", median(tails_)},
            {"poller_cpu_share", median(cpu_shares_)},
            {"doorbells", producer_.doorbells_rung()},
            {"parks", std::uint64_t{poller_.counters().parks}}};
  }

 private:
  std::chrono::milliseconds duration() const {
    const double at_least_ms = one_.rate_hz == 0 ? 0 : kEventsAtLeast * 1e3 / one_.rate_hz;
    return std::chrono::milliseconds(std::max<long>(one_.duration_ms, std::lround(at_least_ms)));
  }

  void poll_when_asked() {
    Placement::of(one_).enter(1);
    for (;;) {
      begin_.acquire();
      if (over_) return;
      const double before = thread_cpu_seconds();
      const auto handler = [this](unsigned ring, std::span<const EventType> events) {
        take(ring, events);
      };
      poller_.run(stop_.get_token(), handler);
      cpu_seconds_ = thread_cpu_seconds() - before;
      poller_.drain(handler);
      ended_.release();
    }
  }

  void take(unsigned ring, std::span<const EventType> events) noexcept {
    for (const EventType& event : events) {
      const auto words = event.get<Payload>();
      if (words[0] != expected_++ || !Source::is_whole(words)) ++wrong_;
    }
    if (ring != 0) ++wrong_;
    if (measuring_.load(std::memory_order_relaxed) && samples_.size() < kSamplesMax) {
      const std::uint64_t published = events.front().get<Words<16>>()[1];
      samples_.push_back(static_cast<std::int64_t>(ticks_now() - published) - tick_offset_);
    }
    received_.store(expected_, std::memory_order_relaxed);
  }

  void feed(std::chrono::milliseconds time) {
    const Clock::time_point until = Clock::now() + time;
    one_.rate_hz == 0 ? feed_flat_out(until) : feed_paced(until);
  }

  void feed_flat_out(Clock::time_point until) {
    while (Clock::now() < until) {
      for (int i = 0; i < 16; ++i) {
        const std::uint64_t ticks = ticks_now();
        for (EventType& event : batch_) event.set(Source::stamped(next_++, ticks));
        producer_.publish_batch(batch_);
      }
    }
  }

  void feed_paced(Clock::time_point until) {
    EventType event{};
    for (Pacer pacer(one_.rate_hz); Clock::now() < until;) {
      pacer.wait();
      event.set(Source{}(next_++));
      producer_.publish(event);
    }
  }

  const Case one_;
  const std::int64_t tick_offset_;
  LocalRing ring_;
  std::vector<LocalRing> quiet_rings_;
  BasicProducer<Layout> producer_;
  BasicPoller<Layout> poller_;
  std::vector<EventType> batch_;
  std::stop_source stop_;
  std::binary_semaphore begin_{0};
  std::binary_semaphore ended_{0};
  bool over_ = false;
  double cpu_seconds_ = 0;

  std::uint64_t next_ = 0;  // the producer's
  std::vector<double> rates_;
  std::vector<double> middles_;
  std::vector<double> tails_;
  std::vector<double> cpu_shares_;
  bool exact_ = true;

  alignas(128) std::atomic<std::uint64_t> received_{0};
  std::atomic<bool> measuring_{false};
  std::uint64_t expected_ = 0;  // the poller's, as all below
  std::uint64_t wrong_ = 0;
  std::vector<std::int64_t> samples_;
  std::thread thread_;
};

/// Each some turns, another one first each time.
std::vector<Record> in_turns(const std::vector<FedPoller*>& pollers) {
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    for (std::size_t i = 0; i < pollers.size(); ++i) {
      pollers[(turn + i) % pollers.size()]->turn();
    }
  }
  std::vector<Record> summaries;
  for (const FedPoller* each : pollers) summaries.push_back(each->summary());
  return summaries;
}

double of(const Record& summary, const char* key) { return summary[key].get<double>(); }

/// "adaptive:50:1:0": strategy, spin, watermark, time after the first event.
PollerOptions options_of(const std::string& text) {
  std::istringstream parts(text);
  std::string part;
  std::getline(parts, part, ':');
  const auto strategy = parse_wait_strategy(part);
  if (!strategy) throw std::invalid_argument("no wait strategy " + part);
  PollerOptions options;
  options.strategy = *strategy;
  if (std::getline(parts, part, ':')) options.spin = std::chrono::microseconds(std::stol(part));
  if (std::getline(parts, part, ':')) {
    options.arm.wake_events = static_cast<std::uint16_t>(std::stoul(part));
  }
  if (std::getline(parts, part, ':')) options.arm.wake = std::chrono::microseconds(std::stol(part));
  return options;
}

}  // namespace

/// What quiet rings cost a busy one. Wants four descriptors a ring.
Record many_rings(const Case& one) {
  const Placement placement = Placement::of(one);
  const std::int64_t offset = tick_offset(placement);
  placement.enter(0);
  const PollerOptions options = options_of(one.variant);
  FedPoller alone(one, options, offset);
  FedPoller among_many(one, options, offset, one.ring_count - 1);
  const std::vector<Record> found = in_turns({&alone, &among_many});
  return {{"value", of(found[1], "events_per_second") / of(found[0], "events_per_second")},
          {"unit", "ratio"},
          {"exact", found[0]["exact"] && found[1]["exact"]},
          {"p50_ratio", of(found[1], "p50_ns") / of(found[0], "p50_ns")},
          {"alone", found[0]},
          {"among_many", found[1]}};
}

/// One rate, three ways to wait. The value: adaptive beside the worse of the other two, by
/// events a second or by p50, whichever it is worse in.
Record rate_sweep(const Case& one) {
  const Placement placement = Placement::of(one);
  const std::int64_t offset = tick_offset(placement);
  placement.enter(0);
  FedPoller spin(one, options_of("busy-spin"), offset);
  FedPoller park(one, options_of("park"), offset);
  FedPoller adaptive(one, options_of("adaptive"), offset);
  const std::vector<Record> found = in_turns({&spin, &park, &adaptive});
  const auto of_worse = [&](const char* key, auto worse) {
    return of(found[2], key) / worse(of(found[0], key), of(found[1], key));
  };
  const double rate =
      of_worse("events_per_second", [](double a, double b) { return std::min(a, b); });
  const double p50 = of_worse("p50_ns", [](double a, double b) { return std::max(a, b); });
  return {{"value", std::min(rate, 1 / p50)},
          {"unit", "ratio"},
          {"exact", found[0]["exact"] && found[1]["exact"] && found[2]["exact"]},
          {"spin", found[0]},
          {"park", found[1]},
          {"adaptive", found[2]}};
}

Record waiting(const Case& one) {
  const Placement placement = Placement::of(one);
  const std::int64_t offset = tick_offset(placement);
  placement.enter(0);
  PollerOptions options = options_of(one.variant);
  options.burst_count = one.burst_count;
  FedPoller poller(one, options, offset);
  Record record = in_turns({&poller})[0];
  record["value"] = record["p50_ns"];
  record["unit"] = "ns";
  return record;
}

}  // namespace evring::bench
