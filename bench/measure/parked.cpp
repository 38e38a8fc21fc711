// SPDX-License-Identifier: MIT
// Sleepers on the second CPU, the waker on the first.
#include <bench/measure/parked.hpp>

#include <bench/measure/statistics.hpp>
#include <bench/measure/ticks.hpp>
#include <evring/local_ring.hpp>
#include <evring/poller/poller.hpp>
#include <evring/producer.hpp>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace evring::bench {
namespace {

using Layout = BareSlot64;
using EventType = BasicEvent<Layout>;
using namespace std::chrono_literals;

PollerOptions parking(ArmRequest arm) {
  PollerOptions options;
  options.strategy = WaitStrategy::kPark;
  options.arm = arm;
  return options;
}

/// Waits, asleep in between, for up to ten seconds. @return whether it came true.
template <class Condition>
bool await(Condition&& condition) {
  for (int i = 0; i < 1'000'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10us);
  }
  return condition();
}

/// A poller over one ring on the second CPU; counts events and notes when one came.
class ParkedPoller {
 public:
  ParkedPoller(const PollerOptions& options, const Placement& placement)
      : ring_(LocalRing::anonymous({.slot_count = 4096, .slot = slot_of<Layout>()})),
        producer_(ring_),
        poller_(options) {
    poller_.add(BasicPollSource<Layout>::of(ring_));
    thread_ = std::jthread([this, placement](const std::stop_token& stop) {
      placement.enter(1);
      poller_.run(stop, [this](unsigned, std::span<const EventType> events) {
        last_ticks_.store(ticks_now(), std::memory_order_relaxed);
        for (const EventType& event : events) {
          if (event.get<std::uint64_t>() != expected_++) wrong_.store(true);
        }
        received_.store(expected_, std::memory_order_release);
      });
    });
  }
  ~ParkedPoller() { stop(); }
  ParkedPoller(const ParkedPoller&) = delete;
  ParkedPoller& operator=(const ParkedPoller&) = delete;

  void publish(unsigned count) noexcept {
    EventType event{};
    for (unsigned i = 0; i < count; ++i) {
      event.set(published_++);
      producer_.publish(event);
    }
  }
  void publish_batch(unsigned count) {
    batch_.resize(count);
    for (EventType& event : batch_) event.set(published_++);
    producer_.publish_batch(batch_);
  }
  bool await_park(std::uint64_t parks_before) {
    return await([&] { return poller_.counters().parks > parks_before; });
  }
  bool await_all() {
    return await([&] { return received_.load(std::memory_order_acquire) == published_; });
  }
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
  }

  const PollerCounters& counters() const noexcept { return poller_.counters(); }
  std::uint64_t doorbells_rung() const noexcept { return producer_.doorbells_rung(); }
  std::uint64_t last_ticks() const noexcept { return last_ticks_.load(std::memory_order_relaxed); }
  bool exact() const noexcept { return !wrong_.load() && received_.load() == published_; }
  pthread_t handle() { return thread_.native_handle(); }

 private:
  LocalRing ring_;
  BasicProducer<Layout> producer_;
  BasicPoller<Layout> poller_;
  std::vector<EventType> batch_;
  std::uint64_t published_ = 0;
  std::uint64_t expected_ = 0;
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> last_ticks_{0};
  std::atomic<bool> wrong_{false};
  std::jthread thread_;
};

/// A thread in a blocking read on the second CPU, until it reads kEnd.
class EventfdSleeper {
 public:
  explicit EventfdSleeper(const Placement& placement) : fd_(eventfd(0, EFD_CLOEXEC)) {
    if (!fd_) throw std::system_error(errno, std::generic_category(), "eventfd");
    thread_ = std::jthread([this, placement] {
      placement.enter(1);
      for (std::uint64_t value = 0; value < kEnd; ++wakes_) {
        if (read(fd_.get(), &value, sizeof(value)) != sizeof(value)) return;
        last_ticks_.store(ticks_now(), std::memory_order_relaxed);
      }
    });
  }
  ~EventfdSleeper() { write_value(kEnd); }
  EventfdSleeper(const EventfdSleeper&) = delete;
  EventfdSleeper& operator=(const EventfdSleeper&) = delete;

  void wake() noexcept { write_value(1); }
  bool await_wakes(std::uint64_t count) {
    return await([&] { return wakes_.load() == count; });
  }
  std::uint64_t last_ticks() const noexcept { return last_ticks_.load(std::memory_order_relaxed); }
  pthread_t handle() { return thread_.native_handle(); }

 private:
  static constexpr std::uint64_t kEnd = 1 << 20;

  void write_value(std::uint64_t value) noexcept {
    [[maybe_unused]] const ssize_t written = write(fd_.get(), &value, sizeof(value));
  }

  FileDescriptor fd_;
  std::atomic<std::uint64_t> wakes_{0};
  std::atomic<std::uint64_t> last_ticks_{0};
  std::jthread thread_;
};

double ns_since(std::uint64_t begin, std::uint64_t end) {
  return static_cast<double>(static_cast<std::int64_t>(end - begin)) / ticks_per_ns();
}

/// CPU time of a thread so far, in us.
double cpu_us(pthread_t thread) {
  clockid_t clock{};
  timespec time{};
  if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

}  // namespace

ParkedWakeResult run_parked_wake(const ParkedWakeOptions& options) {
  options.placement.enter(0);
  ParkedPoller poller(parking({.wake_events = 1, .max_idle = 60s}), options.placement);
  EventfdSleeper sleeper(options.placement);
  bool held = poller.await_park(0);
  std::vector<double> poller_ns;
  std::vector<double> eventfd_ns;
  std::vector<double> waker_ns;
  for (unsigned round = 0; held && round < options.round_count; ++round) {
    std::this_thread::sleep_for(options.sleep);
    const std::uint64_t published = ticks_now();
    poller.publish(3);
    const std::uint64_t done = ticks_now();
    held = poller.await_all() && poller.await_park(round + 1);
    // The first burst it saw may be the first event alone: its handler ran last then.
    poller_ns.push_back(ns_since(published, poller.last_ticks()));
    waker_ns.push_back(ns_since(published, done));
    std::this_thread::sleep_for(options.sleep);
    const std::uint64_t written = ticks_now();
    sleeper.wake();
    held = held && sleeper.await_wakes(round + 1);
    eventfd_ns.push_back(ns_since(written, sleeper.last_ticks()));
  }
  ParkedWakeResult result{.poller_p50_ns = median(poller_ns),
                          .eventfd_p50_ns = median(eventfd_ns),
                          .waker_p50_ns = median(waker_ns),
                          .idle_periods = options.round_count,
                          .doorbells = poller.doorbells_rung()};
  poller.stop();
  result.exact = held && poller.exact() && poller.counters().wakes == options.round_count;
  return result;
}

ParkedIdleResult run_parked_idle(std::chrono::milliseconds duration, bool with_max_idle,
                                 const Placement& placement) {
  placement.enter(0);
  PollerOptions options;
  if (!with_max_idle) options.arm.max_idle = 0ms;
  ParkedPoller poller(options, placement);
  EventfdSleeper sleeper(placement);
  bool held = poller.await_park(0);
  std::this_thread::sleep_for(20ms);
  const std::uint64_t parks = poller.counters().parks;
  const double poller_before = cpu_us(poller.handle());
  const double reader_before = cpu_us(sleeper.handle());
  const Clock::time_point begin = Clock::now();
  std::this_thread::sleep_for(duration);
  ParkedIdleResult result{.seconds = seconds_between(begin, Clock::now()),
                          .poller_cpu_us = cpu_us(poller.handle()) - poller_before,
                          .reader_cpu_us = cpu_us(sleeper.handle()) - reader_before,
                          .wake_ups = poller.counters().parks - parks};
  poller.publish(1);
  held = held && poller.await_all();
  result.exact = held && poller.exact() && poller.doorbells_rung() == 1;
  return result;
}

std::uint64_t expected_doorbells(const Moderation& moderation) {
  std::uint64_t batches = 1;
  if (moderation.wake.count() != 0) {
    const std::uint64_t by_count =
        (moderation.wake_events + moderation.burst_count - 1) / moderation.burst_count;
    const auto by_time = static_cast<std::uint64_t>(moderation.wake / moderation.gap) + 1;
    batches = std::min(by_count, by_time);
  }
  return (moderation.batch_count + batches - 1) / batches;
}

ModerationResult run_moderation(const Moderation& moderation, const Placement& placement) {
  placement.enter(0);
  ParkedPoller poller(parking({.wake_events = static_cast<std::uint16_t>(moderation.wake_events),
                               .wake = moderation.wake,
                               .max_idle = 60s}),
                      placement);
  const bool parked = poller.await_park(0);
  for (unsigned i = 0; i < moderation.batch_count; ++i) {
    const Clock::time_point due = Clock::now() + moderation.gap;
    while (Clock::now() < due) {
    }
    poller.publish_batch(moderation.burst_count);
  }
  const bool came = poller.await_all();
  poller.stop();
  return {.expected = expected_doorbells(moderation),
          .rung = poller.doorbells_rung(),
          .woken = poller.counters().wakes,
          .exact = parked && came && poller.exact()};
}

}  // namespace evring::bench
