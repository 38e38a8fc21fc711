// SPDX-License-Identifier: MIT
// `evring-stress`: options and reports that its parts share. Every event carries
// who published it, a count without holes and a checksum; every consumer checks
// all three. Counts are made by each side for itself and compared at the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <evring/poller/options.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tool/console.hpp"
#include "tool/ring_options.hpp"
#include "tool/stop.hpp"

namespace evring::stress {

using namespace tool;

enum class ReadWay { kBurst, kOne, kMixed };
enum class PublishWay { kBatch, kOne, kReserve };

/// --fault: what a test makes go wrong on purpose, to see that it is found.
enum class Fault {
  kNone,
  kCorrupt,   ///< a payload word is changed after its checksum, now and then
  kSkip,      ///< one producer leaves out a count, now and then
  kReorder,   ///< one producer repeats a count, now and then
  kMiscount,  ///< one producer claims to have offered one event more
  kForget,    ///< one consumer forgets an event that it read
};

struct StressOptions {
  unsigned producer_count = 2;
  unsigned consumer_count = 2;
  unsigned ring_count = 1;
  double seconds = 5;
  bool kernel = false;
  bool churn = false;
  bool gated_drops = false;  ///< local gated producers refuse instead of waiting
  bool json = false;
  bool fail_on_loss = false;
  bool skip_if_absent = false;
  RingShape shape;
  std::optional<std::uint64_t> asked_seed;
  std::uint64_t seed = 0;
  std::vector<unsigned> cpus;  ///< threads are pinned to these in turn; empty: not pinned
  unsigned burst_count = 64;
  unsigned batch_count = 32;
  WaitStrategy strategy = WaitStrategy::kAdaptive;
  Rung best_rung = Rung::kUringCommand;
  ReadWay read_way = ReadWay::kBurst;
  PublishWay publish_way = PublishWay::kBatch;
  Fault fault = Fault::kNone;
};

/// One stay of a consumer at a ring. Sequences are counted from first_sequence.
struct ConsumerReport {
  unsigned consumer = 0;
  std::uint64_t start = 0;
  std::uint64_t end = 0;  ///< where its cursor stood when it left
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t overruns = 0;
  std::uint64_t doorbells = 0;
  bool ran_to_end = false;
  /// From the producers' own counts, for a consumer from the first event to the
  /// last: how many events its stream lacked. Equals lost.
  std::optional<std::uint64_t> missing;
};

/// What one producer says that it did, ring by ring.
struct ProducerTally {
  std::uint64_t offered = 0;
  std::uint64_t published = 0;
  std::uint64_t dropped = 0;
  std::uint64_t lock_wait_ns = 0;
};

struct RingReport {
  std::string name;
  std::vector<ProducerTally> producers;  ///< by producer number; zeros where it is not one
  std::uint64_t head_published = 0;      ///< what the ring says: head - first_sequence
  std::uint64_t ring_dropped = 0;        ///< what the ring says
  std::uint64_t lock_wait_ns = 0;
  std::uint64_t lock_contended = 0;
  std::vector<ConsumerReport> consumers;
};

struct StressReport {
  std::uint64_t seed = 0;
  double seconds = 0;  ///< how long the producers ran
  bool interrupted = false;
  std::vector<RingReport> rings;
  std::string rung;                   ///< how parked consumers were woken, and why not better
  std::vector<std::string> problems;  ///< set-up that failed; each makes it unbalanced
};

StressReport stress_local(const StressOptions& options);
StressReport stress_kernel(const StressOptions& options);

/// Every sum that does not add up, one line each; empty when balanced.
std::vector<std::string> find_imbalance(const StressOptions& options, const StressReport& report);
/// Over all consumers.
std::uint64_t total_lost(const StressReport& report);
Json stress_json(const StressReport& report, const std::vector<std::string>& imbalance);
void print_stress(const StressOptions& options, const StressReport& report,
                  const std::vector<std::string>& imbalance);

}  // namespace evring::stress
