// SPDX-License-Identifier: MIT
// One consumer of evringd: a pinned thread, its poller, its sink. Comes back to a
// ring whose owner started anew, and keeps one account over all generations.
#pragma once

#include "config.hpp"
#include "sink.hpp"

#include <evring/poller/poller_core.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
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
  using Print = std::function<void(const std::string& line)>;

  /// Opens the ring and the sink on the calling thread, so that what is wrong with
  /// them is an error of the start. @throws what these throw.
  Worker(const ConsumerConfig& config, Print print);

  /// Starts the thread. `on_failure` is called on it should it end early.
  void start(std::function<void()> on_failure);
  /// Asks the thread to drain and end; join() waits for it.
  void request_stop() { thread_.request_stop(); }
  void join();

  const ConsumerConfig& config() const noexcept { return config_; }
  /// Why the thread ended early; empty when it did not. After join().
  const std::string& failure() const noexcept { return failure_; }
  const Sink& sink() const noexcept { return sink_; }
  /// Any thread, at any time; exact when joined.
  Account account() const;

 private:
  void run(const std::stop_token& stop, RingLink link);
  template <class Layout>
  void poll_until_gone(const std::stop_token& stop, RingLink link);
  std::optional<RingLink> find_again(const std::stop_token& stop) const;
  void attach(const PollerCore& core);
  void detach(std::uint64_t head);

  ConsumerConfig config_;
  Print print_;
  Sink sink_;
  std::optional<RingLink> first_link_;
  std::string failure_;
  mutable std::mutex mutex_;          ///< of the two below
  const PollerCore* core_ = nullptr;  ///< while a poller exists
  Account past_;                      ///< of the generations before it
  std::jthread thread_;
};

}  // namespace evring::daemon
