// SPDX-License-Identifier: MIT
// Wake-ups, one at a time: a sleeper and a waker on two CPUs, in step.
#include <bench/measure/wake.hpp>

#include <bench/measure/statistics.hpp>
#include <bench/measure/ticks.hpp>
#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>

namespace evring::bench {
namespace {

/// Eventfd: written once, read by a blocking read.
class EventfdBell {
 public:
  EventfdBell() : fd_(eventfd(0, EFD_CLOEXEC)) {
    if (!fd_) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  void wake(std::uint64_t) noexcept {
    const std::uint64_t one = 1;
    failed_ = failed_ || write(fd_.get(), &one, sizeof(one)) != sizeof(one);
  }
  bool sleep(std::uint64_t) noexcept {
    std::uint64_t count = 0;
    return read(fd_.get(), &count, sizeof(count)) == sizeof(count) && count == 1;
  }
  std::uint64_t doorbells() const noexcept { return 0; }
  bool failed() const noexcept { return failed_; }

 private:
  FileDescriptor fd_;
  bool failed_ = false;
};

/// Futex: a word that counts rounds.
class FutexBell {
 public:
  void wake(std::uint64_t round) noexcept {
    word_.store(static_cast<std::uint32_t>(round + 1), std::memory_order_release);
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
  bool sleep(std::uint64_t round) noexcept {
    const auto before = static_cast<std::uint32_t>(round);
    while (word_.load(std::memory_order_acquire) == before) {
      syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, before, nullptr, nullptr, 0);
    }
    return word_.load(std::memory_order_acquire) == before + 1;
  }
  std::uint64_t doorbells() const noexcept { return 0; }
  bool failed() const noexcept { return false; }

 private:
  std::atomic<std::uint32_t> word_{0};
  static_assert(sizeof(word_) == 4);
};

/// A local ring: publish on one side; arm, poll(2), read on the other.
class RingBell {
 public:
  RingBell()
      : ring_(LocalRing::anonymous({.slot_count = 4096, .slot = slot_of<BareSlot64>()})),
        producer_(ring_),
        consumer_(ring_.mapping(), StartAt::kNewest),
        registration_(ring_.register_consumer(StartAt::kNewest)) {}

  void wake(std::uint64_t round) noexcept {
    BasicEvent<BareSlot64> event{};
    event.set(round);
    producer_.publish(event);
  }
  bool sleep(std::uint64_t round) noexcept {
    if (registration_.arm({.wake_events = 1}, consumer_.cursor())) {
      pollfd waiting{registration_.doorbell_fd(), POLLIN, 0};
      while (poll(&waiting, 1, 1000) < 0 && errno == EINTR) {
      }
      registration_.disarm();
    }
    BasicEvent<BareSlot64> event{};
    return consumer_.try_read(event) == ReadStatus::kEvent && event.get<std::uint64_t>() == round;
  }
  std::uint64_t doorbells() const noexcept { return producer_.doorbells_rung(); }
  bool failed() const noexcept { return false; }

 private:
  LocalRing ring_;
  BasicProducer<BareSlot64> producer_;
  BasicConsumer<BareSlot64> consumer_;
  Registration registration_;
};

template <class Bell>
class WakeRun {
 public:
  explicit WakeRun(const WakeOptions& options) : options_(options) {}

  WakeResult operator()() {
    {
      std::jthread sleeper([this] { sleep_rounds(); });
      std::jthread waker([this] { wake_rounds(); });
    }
    WakeResult result;
    result.p50_ns = percentile(latencies_, 0.50);
    result.p99_ns = percentile(latencies_, 0.99);
    result.waker_p50_ns = percentile(costs_, 0.50);
    result.doorbells = bell_.doorbells();
    result.exact = wrong_ == 0 && !bell_.failed() && latencies_.size() == options_.round_count;
    return result;
  }

 private:
  void sleep_rounds() {
    options_.placement.enter(1);
    for (std::uint64_t round = 0; round < options_.round_count; ++round) {
      asleep_.store(round + 1, std::memory_order_release);
      if (!bell_.sleep(round)) ++wrong_;
      const std::uint64_t woken = ticks_now();
      const auto ticks = static_cast<std::int64_t>(woken - begun_.load(std::memory_order_acquire));
      latencies_.push_back(static_cast<double>(ticks) / ticks_per_ns());
    }
  }

  void wake_rounds() {
    options_.placement.enter(0);
    for (std::uint64_t round = 0; round < options_.round_count; ++round) {
      while (asleep_.load(std::memory_order_acquire) != round + 1) {
        std::this_thread::sleep_for(std::chrono::microseconds(10));
      }
      std::this_thread::sleep_for(options_.sleep);
      const std::uint64_t begin = ticks_now();
      begun_.store(begin, std::memory_order_release);
      bell_.wake(round);
      costs_.push_back(static_cast<double>(ticks_now() - begin) / ticks_per_ns());
    }
  }

  const WakeOptions options_;
  Bell bell_;
  alignas(128) std::atomic<std::uint64_t> asleep_{0};
  alignas(128) std::atomic<std::uint64_t> begun_{0};
  std::uint64_t wrong_ = 0;
  std::vector<double> latencies_;
  std::vector<double> costs_;
};

}  // namespace

WakeResult run_eventfd_wake(const WakeOptions& options) { return WakeRun<EventfdBell>(options)(); }
WakeResult run_futex_wake(const WakeOptions& options) { return WakeRun<FutexBell>(options)(); }
WakeResult run_doorbell_wake(const WakeOptions& options) { return WakeRun<RingBell>(options)(); }

double syscall_ns() {
  constexpr unsigned kCalls = 100'000;
  const Clock::time_point begin = Clock::now();
  for (unsigned i = 0; i < kCalls; ++i) syscall(SYS_getppid);
  return seconds_between(begin, Clock::now()) * 1e9 / kCalls;
}

}  // namespace evring::bench
