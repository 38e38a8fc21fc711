// SPDX-License-Identifier: MIT
// A real poller on a thread of its own over any number of local rings, and a producer
// that feeds the first of them: what the loops of pollers share. Several rigs stand
// side by side and take turns, so that a ratio compares the same seconds.
// Invariant: a run counts only if each event came whole, in order, once.
#pragma once

#include <bench/measure/latency.hpp>
#include <bench/measure/thread.hpp>
#include <evring/local_ring.hpp>
#include <evring/poller/poller.hpp>
#include <evring/producer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <vector>

namespace evring::bench {

struct RigOptions {
  PollerOptions poller{};
  unsigned quiet_ring_count = 0;  ///< beside the one that is fed
  std::size_t slot_count = 4096;
  std::size_t burst_count = 32;  ///< events of a batch at full speed
  Placement placement{};         ///< producer first, then the poller
};

/// One turn of a rig.
struct RigLoad {
  double rate_hz = 0;  ///< 0: as fast as the ring takes them
  std::chrono::milliseconds warm_up{20};
  std::chrono::milliseconds duration{50};
};

struct RigResult {
  double events_per_second = 0;
  double p50_ns = 0;  ///< publish to handler; at full speed, of each burst's first event
  double p99_ns = 0;
  std::uint64_t published = 0;
  std::uint64_t doorbells = 0;
  std::uint64_t parks = 0;
  double poller_cpu_seconds = 0;  ///< of the poller's thread, over the whole turn
  bool exact = false;
};

/// Medians over the turns of a rig.
struct RigSummary {
  double events_per_second = 0;
  double p50_ns = 0;
  double p99_ns = 0;
  double poller_cpu_share = 0;  ///< of one CPU
  std::uint64_t doorbells = 0;  ///< of all turns
  std::uint64_t parks = 0;
  bool exact = false;
};

/// Ticks by which the poller's CPU is ahead of the producer's.
std::int64_t measure_tick_offset(const Placement& placement);

/// Made, run and destroyed by one thread, which is the producer and stays pinned.
class PollerRig {
 public:
  using Layout = BareSlot64;
  using EventType = BasicEvent<Layout>;

  /// @throws std::system_error when the rings or their descriptors cannot be had.
  PollerRig(const RigOptions& options, std::int64_t tick_offset);
  ~PollerRig();
  PollerRig(const PollerRig&) = delete;
  PollerRig& operator=(const PollerRig&) = delete;

  RigResult run(const RigLoad& load);

  const BasicPoller<Layout>& poller() const noexcept { return poller_; }

 private:
  void poll_when_asked();
  void take(unsigned ring, std::span<const EventType> events) noexcept;
  void feed(const RigLoad& load);
  void feed_flat_out(Clock::time_point until);
  void feed_paced(double rate_hz, Clock::time_point until);
  void begin_measuring() noexcept;

  const RigOptions options_;
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

  std::uint64_t next_ = 0;  ///< the producer's
  double measured_seconds_ = 0;
  std::uint64_t measured_events_ = 0;

  alignas(128) std::atomic<std::uint64_t> received_{0};
  std::atomic<bool> measuring_{false};
  std::uint64_t expected_ = 0;  ///< the poller's, as all below
  std::uint64_t wrong_ = 0;
  std::vector<std::int64_t> samples_;
  std::thread thread_;
};

/// Runs each rig `turn_count` times, another one first each time. Each turn lasts long
/// enough for a hundred events, or as `load` says.
std::vector<RigSummary> run_in_turns(const std::vector<PollerRig*>& rigs, RigLoad load,
                                     unsigned turn_count);

}  // namespace evring::bench
