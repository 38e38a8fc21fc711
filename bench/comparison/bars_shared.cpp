// SPDX-License-Identifier: MIT
// Bar 7: work sharing. A run counts only if each event came to exactly one member.
#include "bars.hpp"

#include <fmt/format.h>

namespace evring::bench {

void add_shared_bars(Bars& bars) {
  for (const unsigned members : {1u, 2u}) {
    bars.push_back({.bar = 7,
                    .name = fmt::format("group 56 B x32, {} member{} / best of rte_ring SP/MC, HTS",
                                        members, members == 1 ? "" : "s"),
                    .limit = 1.25,
                    .ours = {throughput_of("evring-group", 56, 32, members)},
                    .theirs = {throughput_of("rte-ring-spmc", 56, 32, members),
                               throughput_of("rte-ring-hts", 56, 32, members)}});
    bars.push_back(
        {.bar = 7,
         .name = fmt::format("group 56 B one at a time, {} member{} / moodycamel ConcurrentQueue",
                             members, members == 1 ? "" : "s"),
         .limit = 2,
         .ours = {throughput_of("evring-group", 56, 1, members)},
         .theirs = {throughput_of("moodycamel-concurrent", 56, 1, members)}});
  }
}

}  // namespace evring::bench
