// SPDX-License-Identifier: MIT
// One consumer of evringd: a pinned thread, its poller, its output. Waits for a ring that
// is not there, at the start and later, and keeps one account over all generations.
#pragma once

#include "config.hpp"
#include "output/output.hpp"

#include <evring/poller/poller_core.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace evring::daemon {

/// The account of a consumer. Balanced when received + lost == expected.
struct Account {
  std::uint64_t start = 0;     ///< where it started in the newest generation
  std::uint64_t expected = 0;  ///< sum over generations of cursor - start
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t overruns = 0;
  std::uint64_t lag = 0;
  std::uint64_t doorbells = 0;
  std::uint64_t parks = 0;
  std::uint64_t wakes = 0;
  std::uint64_t spurious_wakes = 0;
  std::uint64_t bursts = 0;
  std::uint64_t generations = 0;  ///< rings attached so far

  bool balanced() const noexcept { return received + lost == expected; }
};

class Worker {
 public:
  using Print = Output::Print;
  enum class State : std::uint8_t { kWaiting, kReading, kEnded };

  /// Opens the output, and the ring where it is there, on the calling thread, so that what
  /// is wrong with them is an error of the start. `daemon` outlives this.
  /// @throws what these throw; where config.await is 0, a missing ring too.
  Worker(const ConsumerConfig& config, const Config& daemon, Print print);

  /// Starts the thread. `on_end` is called on it when all is done.
  void start(std::function<void()> on_end);
  /// Asks the thread to drain and end; it takes as long as the output may.
  void request_stop() { thread_.request_stop(); }
  /// Lets the output wait no longer. Any thread.
  void hurry() noexcept { output_->hurry(); }

  const ConsumerConfig& config() const noexcept { return config_; }
  const Output& output() const noexcept { return *output_; }
  State state() const noexcept { return state_.load(); }
  /// Why it ended early; empty when it did not, or has not ended.
  std::string failure() const { return state() == State::kEnded ? failure_ : ""; }
  /// Any thread, at any time; exact when ended.
  Account account() const;

 private:
  void run(const std::stop_token& stop);
  template <class Layout>
  void poll_until_gone(const std::stop_token& stop, RingLink link);
  std::optional<RingLink> await_ring(const std::stop_token& stop);
  void attach(const PollerCore& core);
  void detach(std::uint64_t head);

  ConsumerConfig config_;
  const Config& daemon_;
  Print print_;
  std::unique_ptr<Output> output_;
  std::optional<RingLink> first_link_;
  std::string failure_;  ///< before state_
  std::atomic<State> state_ = State::kWaiting;
  mutable std::mutex mutex_;          ///< of the two below
  const PollerCore* core_ = nullptr;  ///< while a poller exists
  Account past_;                      ///< of the generations before it
  std::jthread thread_;
};

/// "waiting", "reading", "ended".
const char* to_string(Worker::State state) noexcept;

}  // namespace evring::daemon
