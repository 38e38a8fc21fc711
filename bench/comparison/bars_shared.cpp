// SPDX-License-Identifier: MIT
// Bar 7: work sharing. A run counts only if each event came to exactly one member.
#include "bars.hpp"

#include <fmt/format.h>

namespace evring::bench {
namespace {

std::vector<Candidate> shared(const std::vector<std::string>& names, std::size_t burst,
                              unsigned members) {
  std::vector<Candidate> candidates;
  for (const std::string& name : names) {
    candidates.push_back(throughput_of(name, 56, burst, members));
  }
  return placed(std::move(candidates), 56, burst, members);
}

}  // namespace

void add_shared_bars(Bars& bars) {
  for (const unsigned members : {1u, 2u}) {
    bars.push_back({.bar = 7,
                    .name = fmt::format("group 56 B x32, {} member{} / best of rte_ring SP/MC, HTS",
                                        members, members == 1 ? "" : "s"),
                    .limit = 1.25,
                    .ours = shared({"evring-group"}, 32, members),
                    .theirs = shared({"rte-ring-spmc", "rte-ring-hts"}, 32, members)});
    bars.push_back(
        {.bar = 7,
         .name = fmt::format("group 56 B one at a time, {} member{} / moodycamel ConcurrentQueue",
                             members, members == 1 ? "" : "s"),
         .limit = 2,
         .ours = shared({"evring-group"}, 1, members),
         .theirs = shared({"moodycamel-concurrent"}, 1, members)});
  }
}

}  // namespace evring::bench
