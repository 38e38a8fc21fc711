// SPDX-License-Identifier: MIT
// Each process exchanges events with one list; the driver says what it found wrong.
#include "unlocked.hpp"

#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>
#include <vector>

#include "contender.hpp"

namespace evring::compare {
namespace {

constexpr std::array<const char*, EVRING_LIST_CORRUPT_KINDS> kKinds = {
    "link", "pointer", "stale", "order", "lost", "length", "endless"};

/// Ten processes break it in a moment; a machine that is busy with other work takes longer.
constexpr double kPatience_s = 20;

using Clock = std::chrono::steady_clock;

/// A device of the list driver that goes with this object.
class ListDevice {
 public:
  explicit ListDevice(std::uint32_t flags) {
    evring_list_device config{};
    config.flags = flags;
    const std::string name =
        (flags == EVRING_LIST_MUTEX ? "mutex" : "unlocked") + std::to_string(::getpid());
    name.copy(config.name, sizeof(config.name) - 1);
    node_.call(EVRING_LIST_IOC_ADD, &config, "add a device");
    id_ = config.device_id;
  }
  ListDevice(const ListDevice&) = delete;
  ListDevice& operator=(const ListDevice&) = delete;
  ~ListDevice() { node_.try_call(EVRING_LIST_IOC_REMOVE, &id_); }

  std::uint64_t id() const { return id_; }
  evring_list_stats stats(unsigned long command) const {
    evring_list_stats stats{};
    stats.device_id = id_;
    node_.call(command, &stats, "stats");
    return stats;
  }

 private:
  Node node_{EVRING_LIST_PATH, O_RDWR};
  std::uint64_t id_ = 0;
};

/// Until killed: a full batch on, a full batch off, so that most of the time goes into the
/// list itself and not into the system call around it.
[[noreturn]] void exchange(std::uint64_t device_id, std::uint32_t producer) {
  const Node node{EVRING_LIST_PATH, O_RDWR};
  std::array<Input, EVRING_BASELINE_BATCH_MAX> inputs;
  std::array<evring_baseline_event, EVRING_BASELINE_BATCH_MAX> events;
  for (std::uint64_t number = 0;; number += inputs.size()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = make_input(producer, number + i);
    evring_baseline_transfer transfer{};
    transfer.device_id = device_id;
    transfer.event_count = EVRING_BASELINE_BATCH_MAX;
    transfer.events = reinterpret_cast<std::uintptr_t>(inputs.data());
    node.try_call(EVRING_LIST_IOC_INJECT, &transfer);
    transfer.events = reinterpret_cast<std::uintptr_t>(events.data());
    node.try_call(EVRING_LIST_IOC_GET, &transfer);
  }
}

class Hammer {
 public:
  Hammer(std::uint64_t device_id, int processes) {
    for (int i = 0; i < processes; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) exchange(device_id, static_cast<std::uint32_t>(i));
      if (pid > 0) pids_.push_back(pid);
    }
  }
  Hammer(const Hammer&) = delete;
  Hammer& operator=(const Hammer&) = delete;
  ~Hammer() { stop(); }
  void stop() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
    for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
    pids_.clear();
  }

 private:
  std::vector<pid_t> pids_;
};

std::uint64_t findings(const evring_list_stats& stats) {
  return std::accumulate(std::begin(stats.corrupt), std::end(stats.corrupt), std::uint64_t{0});
}

struct Outcome {
  evring_list_stats stats{};
  double found_after_s = -1;  ///< negative: never

  /// Memory is whole whatever the links are.
  bool accounted() const {
    return stats.injected == stats.delivered + stats.discarded + stats.length +
                                 stats.corrupt[EVRING_LIST_CORRUPT_LOST];
  }
};

Outcome hammer(std::uint32_t flags, int processes, double limit_s, double after_s) {
  const ListDevice device(flags);
  const auto start = Clock::now();
  const auto since = [](Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
  };
  Outcome outcome;
  Hammer processes_at_work(device.id(), processes);
  while (since(start) < limit_s && outcome.found_after_s < 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (findings(device.stats(EVRING_LIST_IOC_STATS)) > 0) outcome.found_after_s = since(start);
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(after_s));
  processes_at_work.stop();
  outcome.stats = device.stats(EVRING_LIST_IOC_AUDIT);
  return outcome;
}

void print(const char* name, const Outcome& outcome) {
  const evring_list_stats& stats = outcome.stats;
  fmt::print("{:<9} {} injected, {} delivered, {} left, {} lost; ", name, stats.injected,
             stats.delivered, stats.length, stats.corrupt[EVRING_LIST_CORRUPT_LOST]);
  if (outcome.found_after_s < 0 && findings(stats) == 0) {
    fmt::print("whole\n");
    return;
  }
  fmt::print("found broken after {:.2f} s:", outcome.found_after_s);
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (stats.corrupt[i] > 0) fmt::print(" {} {}", kKinds[i], stats.corrupt[i]);
  }
  fmt::print("\n");
}

nlohmann::json to_json(const Outcome& outcome) {
  nlohmann::json kinds;
  for (std::size_t i = 0; i < kKinds.size(); ++i) kinds[kKinds[i]] = outcome.stats.corrupt[i];
  return {{"injected", outcome.stats.injected},
          {"delivered", outcome.stats.delivered},
          {"left", outcome.stats.length},
          {"found_after_s", outcome.found_after_s},
          {"corrupt", kinds},
          {"accounted", outcome.accounted()}};
}

}  // namespace

bool demonstrate_unlocked(int processes, double limit_s, nlohmann::json* json) {
  const Outcome unlocked =
      hammer(EVRING_LIST_UNLOCKED, processes, std::max(limit_s, kPatience_s), 0.2);
  const Outcome locked = hammer(EVRING_LIST_MUTEX, processes, limit_s, 0);
  const bool found = findings(unlocked.stats) > 0;
  const bool whole = findings(locked.stats) == 0;
  const bool shown = found && whole && unlocked.accounted() && locked.accounted();
  if (json != nullptr) {
    *json = {{"processes", processes},
             {"unlocked", to_json(unlocked)},
             {"mutex", to_json(locked)},
             {"shown", shown}};
    return shown;
  }
  fmt::print("{} processes put events on one list and take them off, at the same time\n",
             processes);
  print("no lock", unlocked);
  print("mutex", locked);
  return shown;
}

}  // namespace evring::compare
