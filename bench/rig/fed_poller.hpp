// SPDX-License-Identifier: MIT
// A real poller on a thread of its own on the second CPU, and the producer that feeds the first of
// its rings. Invariant: a figure counts only if each event came whole, in order, once.
#pragma once

#include <bench/rig/latency.hpp>
#include <bench/rig/threads.hpp>
#include <evring/local_ring.hpp>
#include <evring/poller/poller.hpp>
#include <evring/producer.hpp>

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <semaphore>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace evring::bench {

/// CPU time of a thread so far, in us.
inline double cpu_us_of(pthread_t thread) {
  clockid_t clock{};
  timespec time{};
  pthread_getcpuclockid(thread, &clock);
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

/// Made, fed and destroyed by one thread, which stays pinned to the first CPU.
class FedPoller {
 public:
  /// @param tick_offset  by which the second CPU's counter is ahead of the first's.
  FedPoller(const Case& one, const PollerOptions& options, std::int64_t tick_offset = 0,
            unsigned quiet_ring_count = 0)
      : tick_offset_(tick_offset),
        ring_(LocalRing::anonymous({.slot_count = one.slot_count,
                                    .slot = slot_of<Layout>(),
                                    .mode = Mode::kGated,
                                    .registered_count_max = 1})),
        producer_(ring_, WhenFull::kWait),
        poller_(options) {
    // A thousand rings need several thousand descriptors.
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    samples_.reserve(kSamplesMax);
    poller_.add(BasicPollSource<Layout>::of(ring_));
    for (unsigned i = 0; i < quiet_ring_count; ++i) {
      quiet_rings_.push_back(LocalRing::anonymous(
          {.slot_count = 64, .slot = slot_of<Layout>(), .registered_count_max = 1}));
      poller_.add(BasicPollSource<Layout>::of(quiet_rings_.back()));
    }
    thread_ = std::thread([this, placement = Placement::of(one)] { poll_when_asked(placement); });
  }
  ~FedPoller() {
    stop();
    over_ = true;
    begin_.release();
    thread_.join();
  }
  FedPoller(const FedPoller&) = delete;
  FedPoller& operator=(const FedPoller&) = delete;

  /// Polls from now on, until stop() has had it take what is left.
  void start() {
    stop_ = std::stop_source();
    running_ = true;
    begin_.release();
  }
  void stop() {
    if (!std::exchange(running_, false)) return;
    stop_.request_stop();
    ended_.acquire();
  }

  void publish(std::size_t count) {
    batch_.resize(count);
    const std::uint64_t ticks = ticks_now();
    for (EventType& event : batch_) event.set(Source::stamped(next_++, ticks));
    producer_.publish_batch(batch_);
  }

  /// At the case's rate, or as fast as it goes in its bursts.
  void feed(const Case& one, std::chrono::milliseconds time) {
    const Clock::time_point until = Clock::now() + time;
    if (one.rate_hz == 0) {
      while (Clock::now() < until) {
        for (int i = 0; i < 16; ++i) publish(one.burst_count);
      }
      return;
    }
    for (Pacer pacer(one.rate_hz); Clock::now() < until;) {
      pacer.wait();
      EventType event{};
      event.set(Source{}(next_++));
      producer_.publish(event);
    }
  }

  /// These wait, asleep in between, for up to ten seconds. @return whether it came true.
  bool await_park(std::uint64_t parks_before) const {
    return await([&] { return counters().parks > parks_before; });
  }
  bool await_all() const {
    return await([&] { return received() == next_; });
  }

  /// Ticks from publish to handler, of each burst's first event. While nothing is on its way.
  std::vector<std::int64_t>& samples() noexcept { return samples_; }
  void measure(bool on) noexcept { measuring_.store(on, std::memory_order_relaxed); }

  bool exact() const noexcept { return wrong_.load() == 0 && received() == next_; }
  std::uint64_t received() const noexcept { return received_.load(std::memory_order_acquire); }
  std::uint64_t doorbells_rung() const noexcept { return producer_.doorbells_rung(); }
  const PollerCounters& counters() const noexcept { return poller_.counters(); }
  double cpu_us() { return cpu_us_of(thread_.native_handle()); }

 private:
  using Layout = BareSlot64;
  using EventType = BasicEvent<Layout>;
  using Source = StampedSource<56>;
  static constexpr std::size_t kSamplesMax = 1 << 18;

  template <class Condition>
  static bool await(Condition&& condition) {
    for (int i = 0; i < 1'000'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::microseconds(10));
    }
    return condition();
  }

  void poll_when_asked(const Placement& placement) {
    placement.enter(1);
    const auto handler = [this](unsigned ring, std::span<const EventType> events) {
      take(ring, events);
    };
    for (;;) {
      begin_.acquire();
      if (over_) return;
      poller_.run(stop_.get_token(), handler);
      poller_.drain(handler);
      ended_.release();
    }
  }

  void take(unsigned ring, std::span<const EventType> events) noexcept {
    const std::uint64_t now = ticks_now();
    for (const EventType& event : events) {
      const auto words = event.get<Words<56>>();
      const bool whole = Source::is_whole([&](std::size_t i) { return words[i]; });
      if (words[0] != expected_++ || ring != 0 || !whole) ++wrong_;
    }
    if (measuring_.load(std::memory_order_relaxed) && samples_.size() < kSamplesMax) {
      const std::uint64_t published = events.front().get<Words<16>>()[1];
      samples_.push_back(static_cast<std::int64_t>(now - published) - tick_offset_);
    }
    received_.store(expected_, std::memory_order_release);
  }

  const std::int64_t tick_offset_;
  LocalRing ring_;
  std::vector<LocalRing> quiet_rings_;
  BasicProducer<Layout> producer_;
  BasicPoller<Layout> poller_;
  std::vector<EventType> batch_;
  std::stop_source stop_;
  std::binary_semaphore begin_{0};
  std::binary_semaphore ended_{0};
  bool running_ = false;
  bool over_ = false;
  std::uint64_t next_ = 0;  // the producer's

  alignas(128) std::atomic<std::uint64_t> received_{0};
  std::atomic<bool> measuring_{true};
  std::atomic<std::uint64_t> wrong_{0};
  std::uint64_t expected_ = 0;  // the poller's
  std::vector<std::int64_t> samples_;
  std::thread thread_;
};

}  // namespace evring::bench
