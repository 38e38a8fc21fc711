// SPDX-License-Identifier: MIT
// A poller on a thread of its own, and waiting for what must come.
#pragma once

#include <evring/poller/poller.hpp>
#include <evring/producer.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "../eventually.hpp"
#include "../fresh_runtime_dir.hpp"

namespace evring {

/// For a suite that holds whatever the strategy is.
inline const auto kEveryStrategy = testing::Values(WaitStrategy::kBusySpin, WaitStrategy::kYield,
                                                   WaitStrategy::kAdaptive, WaitStrategy::kPark);
inline std::string strategy_name(const testing::TestParamInfo<WaitStrategy>& each) {
  std::string name = to_string(each.param);
  std::erase(name, '-');
  return name;
}

inline LocalRing small_ring(Mode mode = Mode::kOverwrite, std::uint64_t slot_count = 64) {
  LocalRingOptions options;
  options.slot_count = slot_count;
  options.mode = mode;
  return LocalRing::anonymous(options);
}

inline Event event_of(std::uint64_t value) {
  Event event{};
  event.set(value);
  return event;
}

/// Runs `body` in a child; it returns whether all is well.
template <class Body>
void in_child(Body&& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "child ended with " << status;
}

/// A poller that parks at once, for a minute, on the rung that is the parameter.
class ParkingTest : public testing::TestWithParam<Rung> {
 protected:
  static PollerOptions parking() {
    PollerOptions options;
    options.strategy = WaitStrategy::kPark;
    options.best_rung = GetParam();
    options.arm.max_idle = std::chrono::milliseconds(60000);
    return options;
  }
};

/// For a poller whose events are of no interest.
inline constexpr auto kIgnore = [](unsigned, std::span<const Event>) {};

/// Runs a poller until it is stopped, gone or destroyed; keeps each ring's payloads.
class RunningPoller {
 public:
  explicit RunningPoller(PollerOptions options) : poller_(std::move(options)) {}
  ~RunningPoller() { stop(); }

  Poller& operator*() noexcept { return poller_; }
  Poller* operator->() noexcept { return &poller_; }

  void start() {
    values_.resize(poller_.ring_count());
    thread_ = std::jthread([this](const std::stop_token& stop) {
      end_ = poller_.run(stop, [this](unsigned ring, std::span<const Event> events) {
        for (const Event& event : events) values_[ring].push_back(event.get<std::uint64_t>());
      });
    });
  }
  void stop() {
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
  }
  /// Waits for run() to return by itself.
  RunEnd join() {
    thread_.join();
    return *end_;
  }
  /// After stop() or join().
  const std::vector<std::uint64_t>& values(unsigned ring) const { return values_[ring]; }

  bool parks_again(std::uint64_t parks_before) {
    return eventually([&] { return poller_.counters().parks > parks_before; });
  }

 private:
  Poller poller_;
  std::vector<std::vector<std::uint64_t>> values_;
  std::optional<RunEnd> end_;
  std::jthread thread_;
};

}  // namespace evring
