// SPDX-License-Identifier: MIT
// A parked poller on the second CPU, its waker on the first: how fast it wakes beside a bare
// eventfd, what it costs while it sleeps, and how many doorbells it takes.
#include <bench/rig/clock.hpp>
#include <bench/rig/loops.hpp>
#include <bench/rig/threads.hpp>
#include <evring/local_ring.hpp>
#include <evring/poller/poller.hpp>
#include <evring/producer.hpp>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
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

  void publish(unsigned count) {
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

/// CPU time of a thread so far, in us.
double cpu_us(pthread_t thread) {
  clockid_t clock{};
  timespec time{};
  if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

Moderation moderation_of(const Case& one) {
  if (one.variant == "none") return {.gap = 2ms};
  if (one.variant == "count") {
    return {.wake_events = 10, .wake = 1s, .burst_count = 4, .gap = 2ms};
  }
  if (one.variant == "time") {
    return {.wake_events = 1000, .wake = 25ms, .burst_count = 4, .gap = 10ms, .batch_count = 30};
  }
  throw std::invalid_argument("no moderation " + one.variant + ": none, count or time");
}

}  // namespace

/// Three events are published each time, in one batch: one doorbell must do for them. Between
/// three calls a poller may drain what is there, arm again and be rung again, rightly.
Record parked_wake(const Case& one) {
  const std::uint64_t rounds = one.event_count == 0 ? 100 : one.event_count;
  const Placement placement = Placement::of(one);
  placement.enter(0);
  ParkedPoller poller(parking({.wake_events = 1, .max_idle = 60s}), placement);
  EventfdSleeper sleeper(placement);
  bool held = poller.await_park(0);
  std::vector<double> poller_ns;
  std::vector<double> eventfd_ns;
  std::vector<double> waker_ns;
  for (std::uint64_t round = 0; held && round < rounds; ++round) {
    std::this_thread::sleep_for(1ms);
    const std::uint64_t published = ticks_now();
    poller.publish(3);
    waker_ns.push_back(ns_between(published, ticks_now()));
    held = poller.await_all() && poller.await_park(round + 1);
    poller_ns.push_back(ns_between(published, poller.last_ticks()));
    std::this_thread::sleep_for(1ms);
    const std::uint64_t written = ticks_now();
    sleeper.wake();
    held = held && sleeper.await_wakes(round + 1);
    eventfd_ns.push_back(ns_between(written, sleeper.last_ticks()));
  }
  poller.stop();
  const auto doorbells = static_cast<double>(poller.doorbells_rung());
  const std::uint64_t wakes = poller.counters().wakes;
  return {{"value", median(poller_ns) / median(eventfd_ns)},
          {"unit", "ratio"},
          {"exact", held && poller.exact() && wakes == rounds && poller.doorbells_rung() == rounds},
          {"poller_p50_ns", median(poller_ns)},
          {"eventfd_p50_ns", median(eventfd_ns)},
          {"waker_p50_ns", median(waker_ns)},
          {"wakes", wakes},
          {"doorbells_an_idle_period", doorbells / static_cast<double>(rounds)}};
}

/// The default strategy and options, for the case's duration, beside a thread in read(2).
Record parked_idle(const Case& one) {
  const Placement placement = Placement::of(one);
  placement.enter(0);
  PollerOptions options;
  if (one.variant != "max-idle") options.arm.max_idle = 0ms;
  ParkedPoller poller(options, placement);
  EventfdSleeper sleeper(placement);
  bool held = poller.await_park(0);
  std::this_thread::sleep_for(20ms);
  const std::uint64_t parks = poller.counters().parks;
  const double poller_before = cpu_us(poller.handle());
  const double reader_before = cpu_us(sleeper.handle());
  const Clock::time_point begin = Clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(one.duration_ms));
  const double seconds = seconds_between(begin, Clock::now());
  Record record = {{"value", (cpu_us(poller.handle()) - poller_before) / seconds},
                   {"unit", "us of CPU a second"},
                   {"seconds", seconds},
                   {"reader_cpu_us", cpu_us(sleeper.handle()) - reader_before},
                   {"wake_ups", poller.counters().parks - parks}};
  poller.publish(1);
  held = held && poller.await_all();
  record["exact"] = held && poller.exact() && poller.doorbells_rung() == 1;
  return record;
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

Record moderation(const Case& one) {
  const Moderation how = moderation_of(one);
  const Placement placement = Placement::of(one);
  placement.enter(0);
  ParkedPoller poller(parking({.wake_events = static_cast<std::uint16_t>(how.wake_events),
                               .wake = how.wake,
                               .max_idle = 60s}),
                      placement);
  const bool parked = poller.await_park(0);
  for (unsigned i = 0; i < how.batch_count; ++i) {
    const Clock::time_point due = Clock::now() + how.gap;
    while (Clock::now() < due) {
    }
    poller.publish(how.burst_count);
  }
  const bool came = poller.await_all();
  poller.stop();
  const auto expected = static_cast<std::int64_t>(expected_doorbells(how));
  const auto rung = static_cast<std::int64_t>(poller.doorbells_rung());
  const auto woken = static_cast<std::int64_t>(poller.counters().wakes);
  return {{"value", std::max(std::abs(rung - expected), std::abs(woken - expected))},
          {"unit", "doorbells"},
          {"exact", parked && came && poller.exact()},
          {"expected", expected},
          {"rung", rung},
          {"woken", woken}};
}

}  // namespace evring::bench
