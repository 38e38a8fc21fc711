// SPDX-License-Identifier: MIT
// evring_bench: the rig's loops on one thread by Google Benchmark, for evring, the mutex list and
// Boost.Lockfree. A loop whose payloads do not add up reports an error, not a figure. What moves
// between cores is bench/compare's.
#include <bench/rig/case.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <utility>

namespace evring::bench {
namespace {

void run(benchmark::State& state, const Contender& contender, Run loop) {
  const Case one{.contender = contender.name,
                 .payload_bytes = contender.payload_bytes,
                 .burst_count = static_cast<std::size_t>(state.range(1)),
                 .event_count = 1 << 16,
                 .fifo = false};
  for (auto _ : state) {
    const Record record = loop(one);
    if (!record["exact"]) state.SkipWithError("payloads do not add up: torn, lost or out of order");
    state.SetIterationTime(record["seconds"]);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(one.event_count));
}

void register_loops(const Contender& each) {
  for (const auto& [loop, name] : {std::pair{"publish", "BM_Publish/"},
                                   {"read", "BM_Read/"},
                                   {"same-thread", "BM_SameThread/"}}) {
    const auto found = each.loops.find(loop);
    if (found == each.loops.end()) continue;
    const auto payload = static_cast<std::int64_t>(each.payload_bytes);
    benchmark::RegisterBenchmark(
        (name + each.name).c_str(),
        [&each, loop = found->second](benchmark::State& state) { run(state, each, loop); })
        ->ArgNames({"payload", "burst"})
        ->Args({payload, 1})
        ->Args({payload, 32})
        ->UseManualTime();
  }
}

/// Contenders of this program's table; the whole field is compared by bench/compare.
bool in_table(const Contender& contender) {
  return (contender.origin != Origin::kPackaged && contender.origin != Origin::kKernel) ||
         contender.name.rfind("boost-", 0) == 0;
}

}  // namespace
}  // namespace evring::bench

int main(int argc, char** argv) {
  using namespace evring::bench;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const Contender& each : all_contenders()) {
    if (in_table(each)) register_loops(each);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
