// SPDX-License-Identifier: MIT
// Each process exchanges events with one list; the driver says what it found wrong.
#include <bench/guest/list.hpp>
#include <bench/guest/loops.hpp>
#include <bench/rig/clock.hpp>
#include <bench/rig/processes.hpp>
#include <bench/rig/threads.hpp>

#include <algorithm>
#include <thread>

namespace evring::bench {
namespace {

constexpr std::array<const char*, EVRING_LIST_CORRUPT_KINDS> kKinds = {
    "link", "pointer", "stale", "order", "lost", "length", "endless"};

/// Ten processes break it in a moment; a machine that is busy with other work takes longer.
constexpr double kPatience_s = 20;

/// Until killed: a full burst on, a full burst off, so that most of the time goes into the
/// list itself and not into the system call around it.
[[noreturn]] void exchange(std::uint64_t device_id, std::uint32_t producer) {
  const FileDescriptor node = open_node(EVRING_LIST_PATH, O_RDWR);
  std::array<Input, EVRING_BASELINE_BATCH_MAX> put;
  std::array<evring_baseline_event, EVRING_BASELINE_BATCH_MAX> got;
  for (std::uint64_t number = 0;; number += put.size()) {
    for (std::size_t i = 0; i < put.size(); ++i) put[i] = event_of(producer, number + i);
    auto transfer = transfer_of(device_id, put.data(), put.size());
    try_call(node, EVRING_LIST_IOC_INJECT, &transfer);
    transfer = transfer_of(device_id, got.data(), got.size());
    try_call(node, EVRING_LIST_IOC_GET, &transfer);
  }
}

struct Outcome {
  evring_list_stats stats{};
  double found_after_s = -1;  ///< negative: never

  std::uint64_t found() const { return corruptions_in(stats); }
  /// Memory is whole whatever the links are.
  bool is_accounted() const {
    return stats.injected == stats.delivered + stats.discarded + stats.length +
                                 stats.corrupt[EVRING_LIST_CORRUPT_LOST];
  }
};

Outcome hammer(std::uint32_t flags, unsigned process_count, double limit_s) {
  const ListDevice device(flags, 0);
  const std::vector<int>& cpus = allowed_cpus();
  const auto begun = Clock::now();
  Outcome outcome;
  std::vector<Child> children;
  for (unsigned i = 0; i < process_count; ++i) {
    children.emplace_back(cpus[i % cpus.size()], [&device, i] { exchange(device.id(), i); });
  }
  while (seconds_between(begun, Clock::now()) < limit_s && outcome.found_after_s < 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (corruptions_in(device.stats(EVRING_LIST_IOC_STATS)) == 0) continue;
    outcome.found_after_s = seconds_between(begun, Clock::now());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // what else they find
  }
  children.clear();
  outcome.stats = device.stats(EVRING_LIST_IOC_AUDIT);
  return outcome;
}

Record record_of(const Outcome& outcome) {
  Record kinds;
  for (std::size_t i = 0; i < kKinds.size(); ++i) kinds[kKinds[i]] = outcome.stats.corrupt[i];
  return {{"injected", outcome.stats.injected},
          {"delivered", outcome.stats.delivered},
          {"left", outcome.stats.length},
          {"found_after_s", outcome.found_after_s},
          {"corrupt", kinds},
          {"accounted", outcome.is_accounted()}};
}

}  // namespace

Record run_unlocked(const Case& one) {
  const double limit_s = one.duration_ms / 1e3;
  const Outcome unlocked =
      hammer(EVRING_LIST_UNLOCKED, one.producer_count, std::max(limit_s, kPatience_s));
  const Outcome locked = hammer(EVRING_LIST_MUTEX, one.producer_count, limit_s);
  const bool shown = unlocked.found() > 0 && locked.found() == 0 && unlocked.is_accounted() &&
                     locked.is_accounted();
  return {{"value", unlocked.found_after_s},
          {"unit", "s"},
          {"exact", shown},
          {"shown", shown},
          {"processes", one.producer_count},
          {"unlocked", record_of(unlocked)},
          {"mutex", record_of(locked)}};
}

}  // namespace evring::bench
