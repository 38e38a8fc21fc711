// SPDX-License-Identifier: MIT
// The rig's two threads and what they check.
#include <bench/measure/poller_rig.hpp>

#include <bench/measure/statistics.hpp>
#include <bench/measure/ticks.hpp>

#include <sys/resource.h>

#include <ctime>

namespace evring::bench {
namespace {

constexpr unsigned kOffsetProbes = 9;
constexpr std::size_t kSamplesMax = 1 << 18;
constexpr std::size_t kWordCount = 7;

LocalRing fed_ring(const RigOptions& options) {
  return LocalRing::anonymous({.slot_count = options.slot_count,
                               .slot = slot_of<PollerRig::Layout>(),
                               .mode = Mode::kGated,
                               .registered_count_max = 1});
}

/// A thousand rings need several thousand descriptors.
void raise_descriptor_limit() noexcept {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

std::int64_t probe_tick_offset(const Placement& placement) {
  OffsetProbe probe;
  SpinBarrier barrier(2, Pause(placement.oversubscribed(2)));
  std::jthread answer([&] {
    placement.enter(1);
    barrier.arrive_and_wait();
    probe.answer();
  });
  std::jthread ask([&] {
    placement.enter(0);
    barrier.arrive_and_wait();
    probe.ask();
  });
  ask.join();
  answer.join();
  return probe.offset_ticks();
}

double thread_cpu_seconds() noexcept {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

bool is_whole(const Words<8 * kWordCount>& words) noexcept {
  std::uint64_t difference = 0;
  for (std::size_t i = 2; i < kWordCount; ++i) {
    difference |= words[i] ^ (words[i - 2] + kPatternStep);
  }
  return difference == 0;
}

}  // namespace

std::int64_t measure_tick_offset(const Placement& placement) {
  std::vector<std::int64_t> offsets;
  for (unsigned i = 0; i < kOffsetProbes; ++i) offsets.push_back(probe_tick_offset(placement));
  return median(offsets);
}

PollerRig::PollerRig(const RigOptions& options, std::int64_t tick_offset)
    : options_(options),
      tick_offset_(tick_offset),
      ring_(fed_ring(options)),
      producer_(ring_, WhenFull::kWait),
      poller_(options.poller),
      batch_(options.burst_count) {
  raise_descriptor_limit();
  samples_.reserve(kSamplesMax);
  poller_.add(BasicPollSource<Layout>::of(ring_));
  for (unsigned i = 0; i < options.quiet_ring_count; ++i) {
    quiet_rings_.push_back(LocalRing::anonymous(
        {.slot_count = 64, .slot = slot_of<Layout>(), .registered_count_max = 1}));
    poller_.add(BasicPollSource<Layout>::of(quiet_rings_.back()));
  }
  thread_ = std::thread([this] { poll_when_asked(); });
}

PollerRig::~PollerRig() {
  over_ = true;
  begin_.release();
  thread_.join();
}

void PollerRig::poll_when_asked() {
  options_.placement.enter(1);
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

void PollerRig::take(unsigned ring, std::span<const EventType> events) noexcept {
  for (const EventType& event : events) {
    const auto words = event.get<Words<8 * kWordCount>>();
    if (words[0] != expected_++ || !is_whole(words)) ++wrong_;
  }
  if (ring != 0) ++wrong_;
  if (measuring_.load(std::memory_order_relaxed) && samples_.size() < kSamplesMax) {
    samples_.push_back(static_cast<std::int64_t>(ticks_now() - events.front().get<Words<16>>()[1]) -
                       tick_offset_);
  }
  received_.store(expected_, std::memory_order_relaxed);
}

void PollerRig::feed_flat_out(Clock::time_point until) {
  while (Clock::now() < until) {
    for (int i = 0; i < 16; ++i) {
      const std::uint64_t ticks = ticks_now();
      for (EventType& event : batch_) {
        Words<8 * kWordCount> words{next_++, ticks};
        for (std::size_t w = 2; w < kWordCount; ++w) words[w] = words[w - 2] + kPatternStep;
        event.set(words);
      }
      producer_.publish_batch(batch_);
    }
  }
}

void PollerRig::feed_paced(double rate_hz, Clock::time_point until) {
  const StampedSource<8 * kWordCount> source;
  const auto between = static_cast<std::uint64_t>(ticks_per_ns() * 1e9 / rate_hz);
  const auto end_ticks =
      ticks_now() +
      static_cast<std::uint64_t>(seconds_between(Clock::now(), until) * 1e9 * ticks_per_ns());
  EventType event{};
  std::uint64_t due = ticks_now();
  while (static_cast<std::int64_t>(end_ticks - due) > 0) {
    while (static_cast<std::int64_t>(ticks_now() - due) < 0) {
    }
    event.set(source(next_++));
    producer_.publish(event);
    due = std::max(due + between, ticks_now() - 8 * between);
  }
}

void PollerRig::feed(const RigLoad& load) {
  const auto feed_for = [&](std::chrono::milliseconds duration) {
    const Clock::time_point until = Clock::now() + duration;
    load.rate_hz == 0 ? feed_flat_out(until) : feed_paced(load.rate_hz, until);
  };
  feed_for(load.warm_up);
  const Clock::time_point begin = Clock::now();
  const std::uint64_t before = received_.load(std::memory_order_relaxed);
  measuring_.store(true, std::memory_order_relaxed);
  feed_for(load.duration);
  measured_seconds_ = seconds_between(begin, Clock::now());
  measured_events_ = received_.load(std::memory_order_relaxed) - before;
  measuring_.store(false, std::memory_order_relaxed);
}

RigResult PollerRig::run(const RigLoad& load) {
  options_.placement.enter(0);
  samples_.clear();
  stop_ = std::stop_source();
  const std::uint64_t doorbells = producer_.doorbells_rung();
  const std::uint64_t parks = poller_.counters().parks;
  const std::uint64_t first = next_;
  begin_.release();
  feed(load);
  stop_.request_stop();
  ended_.acquire();
  RigResult result;
  result.events_per_second = static_cast<double>(measured_events_) / measured_seconds_;
  std::sort(samples_.begin(), samples_.end());
  result.p50_ns = static_cast<double>(percentile_sorted(samples_, 0.50)) / ticks_per_ns();
  result.p99_ns = static_cast<double>(percentile_sorted(samples_, 0.99)) / ticks_per_ns();
  result.published = next_ - first;
  result.doorbells = producer_.doorbells_rung() - doorbells;
  result.parks = poller_.counters().parks - parks;
  result.poller_cpu_seconds = cpu_seconds_;
  result.exact = wrong_ == 0 && received_.load() == next_;
  return result;
}

namespace {

RigSummary summarise(const std::vector<RigResult>& turns, double seconds) {
  std::vector<double> rates;
  std::vector<double> middles;
  std::vector<double> tails;
  std::vector<double> shares;
  RigSummary summary{.exact = true};
  for (const RigResult& turn : turns) {
    rates.push_back(turn.events_per_second);
    middles.push_back(turn.p50_ns);
    tails.push_back(turn.p99_ns);
    shares.push_back(turn.poller_cpu_seconds / seconds);
    summary.doorbells += turn.doorbells;
    summary.parks += turn.parks;
    summary.exact = summary.exact && turn.exact;
  }
  summary.events_per_second = median(rates);
  summary.p50_ns = median(middles);
  summary.p99_ns = median(tails);
  summary.poller_cpu_share = median(shares);
  return summary;
}

}  // namespace

std::vector<RigSummary> run_in_turns(const std::vector<PollerRig*>& rigs, RigLoad load,
                                     unsigned turn_count) {
  constexpr double kEventsAtLeast = 100;
  if (load.rate_hz != 0) {
    const auto needed =
        std::chrono::milliseconds(static_cast<long>(kEventsAtLeast * 1e3 / load.rate_hz));
    load.duration = std::max(load.duration, needed);
  }
  std::vector<std::vector<RigResult>> turns(rigs.size());
  for (unsigned turn = 0; turn < turn_count; ++turn) {
    for (std::size_t i = 0; i < rigs.size(); ++i) {
      const std::size_t index = (turn + i) % rigs.size();
      turns[index].push_back(rigs[index]->run(load));
    }
  }
  const double seconds = std::chrono::duration<double>(load.warm_up + load.duration).count();
  std::vector<RigSummary> summaries;
  for (const std::vector<RigResult>& each : turns) summaries.push_back(summarise(each, seconds));
  return summaries;
}

}  // namespace evring::bench
