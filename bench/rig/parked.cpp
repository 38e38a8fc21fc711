// SPDX-License-Identifier: MIT
// A parked poller: how fast it wakes beside a bare eventfd, what it costs while it sleeps, and how
// many doorbells it takes.
#include <bench/rig/fed_poller.hpp>
#include <bench/rig/loops.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <semaphore>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace evring::bench {
namespace {

using namespace std::chrono_literals;

PollerOptions parking(ArmRequest arm) {
  PollerOptions options;
  options.strategy = WaitStrategy::kPark;
  options.arm = arm;
  return options;
}

/// A thread in a blocking read on the second CPU, until it reads kEnd.
class EventfdSleeper {
 public:
  explicit EventfdSleeper(const Placement& placement) : fd_(eventfd(0, EFD_CLOEXEC)) {
    if (!fd_) throw std::system_error(errno, std::generic_category(), "eventfd");
    thread_ = std::jthread([this, placement] {
      placement.enter(1);
      for (std::uint64_t value = 0; value < kEnd; woken_.release()) {
        if (read(fd_.get(), &value, sizeof(value)) != sizeof(value)) return;
        last_ticks_ = ticks_now();
      }
    });
  }
  ~EventfdSleeper() { write_value(kEnd); }
  EventfdSleeper(const EventfdSleeper&) = delete;
  EventfdSleeper& operator=(const EventfdSleeper&) = delete;

  void wake() noexcept { write_value(1); }
  /// @return the tick at which it had woken.
  std::uint64_t await_wake() {
    woken_.acquire();
    return last_ticks_;
  }
  double cpu_us() { return cpu_us_of(thread_.native_handle()); }

 private:
  static constexpr std::uint64_t kEnd = 1 << 20;

  void write_value(std::uint64_t value) noexcept {
    [[maybe_unused]] const ssize_t written = write(fd_.get(), &value, sizeof(value));
  }

  FileDescriptor fd_;
  std::counting_semaphore<> woken_{0};
  std::uint64_t last_ticks_ = 0;
  std::jthread thread_;
};

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
  FedPoller poller(one, parking({.wake_events = 1, .max_idle = 60s}));
  poller.start();
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
    if (!held) break;
    poller_ns.push_back(static_cast<double>(poller.samples().back()) / ticks_per_ns());
    std::this_thread::sleep_for(1ms);
    const std::uint64_t written = ticks_now();
    sleeper.wake();
    eventfd_ns.push_back(ns_between(written, sleeper.await_wake()));
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
  FedPoller poller(one, options);
  poller.start();
  EventfdSleeper sleeper(placement);
  bool held = poller.await_park(0);
  std::this_thread::sleep_for(20ms);
  const std::uint64_t parks = poller.counters().parks;
  const double poller_before = poller.cpu_us();
  const double reader_before = sleeper.cpu_us();
  const Clock::time_point begin = Clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(one.duration_ms));
  const double seconds = seconds_between(begin, Clock::now());
  Record record = {{"value", (poller.cpu_us() - poller_before) / seconds},
                   {"unit", "us of CPU a second"},
                   {"seconds", seconds},
                   {"reader_cpu_us", sleeper.cpu_us() - reader_before},
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
  FedPoller poller(one, parking({.wake_events = static_cast<std::uint16_t>(how.wake_events),
                                 .wake = how.wake,
                                 .max_idle = 60s}));
  poller.start();
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
