// SPDX-License-Identifier: MIT
// `evring bench`: quick figures of the ring on the user's own machine. Every event
// that a case reads is checked by its number; a case that finds a wrong one throws.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace evring::cli {

struct BenchPlan {
  unsigned first_cpu = 0;              ///< producers and single-thread cases
  std::optional<unsigned> second_cpu;  ///< consumers; nothing: such cases are skipped
  std::uint64_t slot_count = 4096;
  unsigned batch_count = 32;
  bool huge_pages = false;
  double round_s = 0.1;
};

struct BenchCase {
  std::string name;
  std::string what;
  std::string unit;  ///< "ns/event", "M events/s" or "ns"
  bool two_cpus = false;
  std::function<double(const BenchPlan&)> round;  ///< one round's figure
};

/// In the order they are shown.
std::vector<BenchCase> bench_cases();

}  // namespace evring::cli
