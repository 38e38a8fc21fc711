// SPDX-License-Identifier: MIT
// What the files of evring_bench share.
#pragma once

#include <bench/measure/registry.hpp>

#include <benchmark/benchmark.h>

namespace evring::bench {

/// Contenders of this program's table: evring, the mutex list, Boost.Lockfree. The
/// whole field is compared by bench/compare.
bool in_table(const Contender& contender);

void register_cost_benchmarks();  ///< one thread: publish, read, drain, produce + consume
void register_core_benchmarks();  ///< two cores and more: throughput, round trip, wake-up

/// Fails the benchmark when a payload was torn, lost or out of order.
void report(benchmark::State& state, const ThroughputResult& result);

}  // namespace evring::bench
