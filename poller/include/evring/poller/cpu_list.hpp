// SPDX-License-Identifier: MIT
// CPUs by the names that people use, and threads pinned to them.
// Set-up code: throws, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace evring {

/// CPU numbers from `1-3,5`, or from hwloc objects such as `core:2`, `numa:0`, `l3:1` and
/// `socket:0` (logical numbers, as `hwloc-ls` prints them), or a mix; each CPU once,
/// in the order named. The types are hwloc's, whichever this machine has.
///
/// Says nothing about whether this process may run there: see check_allowed().
/// @throws std::invalid_argument naming the item, the reason and what would be right.
std::vector<unsigned> parse_cpu_list(std::string_view text);

/// CPUs that this process may run on (its affinity mask, hence its cpuset), ascending;
/// as it was at the first call of anything here, before threads were pinned.
std::vector<unsigned> allowed_cpus();

/// @throws std::system_error (EINVAL) naming the CPU, the allowed set and the remedy.
void check_allowed(std::span<const unsigned> cpus);
/// As above, against a given set.
void check_allowed(std::span<const unsigned> cpus, std::span<const unsigned> allowed);

/// `1-3,5` for {1, 2, 3, 5}, ascending.
std::string format_cpu_list(std::span<const unsigned> cpus);

/// Binds the calling thread to one CPU.
/// @throws std::system_error as check_allowed(), or with the kernel's refusal.
void pin_this_thread(unsigned cpu);

}  // namespace evring
