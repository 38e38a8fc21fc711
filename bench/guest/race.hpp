// SPDX-License-Identifier: MIT
// One race: producers and consumers as pinned processes over one contender for some time,
// then the balance of every process against the driver's own account.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "contender.hpp"
#include "cpus.hpp"

namespace evring::compare {

enum class Pinning {
  kSpread,  ///< producers over all CPUs, in turn; consumers from the last CPU down
  kApart,   ///< the same, but no producer on a consumer's CPU, as far as there are others
};

struct RaceOptions {
  int producers = 1;
  int consumers = 1;
  std::uint32_t batch_count = 1;
  std::chrono::duration<double> duration{1.0};
  Pinning pinning = Pinning::kSpread;
};

struct RaceResult {
  double seconds = 0;
  std::uint64_t injected = 0;           ///< went in, until the producers had stopped
  std::uint64_t dropped = 0;            ///< refused
  std::uint64_t delivered = 0;          ///< all consumers together, until the end
  std::uint64_t delivered_in_time = 0;  ///< of these, before the producers stopped
  std::uint64_t lost = 0;               ///< all consumers together
  std::uint64_t corrupt = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t corruptions = 0;  ///< that the driver found in its own structures
  std::uint64_t lock_wait_ns = 0;
  std::vector<std::string> faults;  ///< what does not add up; empty: balanced

  bool balanced() const { return faults.empty(); }
};

RaceResult run_race(Contender& contender, const RaceOptions& options);

/// "producers on 0,1; consumers on 1"
std::string describe_pinning(const RaceOptions& options);

}  // namespace evring::compare
