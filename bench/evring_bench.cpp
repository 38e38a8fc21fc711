// SPDX-License-Identifier: MIT
// evring_bench: the ring, the mutex list, Boost.Lockfree and the bare lines in one
// binary and one run, so that ratios can be read off. Every payload is checked; a
// benchmark whose payloads do not add up reports an error, not a figure.
#include "evring_bench.hpp"

#include <bench/measure/machine.hpp>

#include <string>

namespace evring::bench {

bool in_table(const Contender& contender) {
  return contender.origin == Origin::kEvring || contender.origin == Origin::kBaseline ||
         contender.origin == Origin::kNone || contender.name.rfind("boost-", 0) == 0;
}

void report(benchmark::State& state, const ThroughputResult& result) {
  if (!result.verdict.exact) {
    state.SkipWithError("payloads do not add up: torn, lost or out of order");
    return;
  }
  state.SetIterationTime(result.seconds);
  state.counters["lost"] = benchmark::Counter(static_cast<double>(result.verdict.lost),
                                              benchmark::Counter::kAvgIterations);
}

namespace {

void describe_run(const std::string& command) {
  const Machine machine = describe_machine();
  benchmark::AddCustomContext("cpu", machine.cpu);
  benchmark::AddCustomContext("caches", machine.caches);
  benchmark::AddCustomContext("kernel", machine.kernel);
  benchmark::AddCustomContext("governor", machine.governor);
  benchmark::AddCustomContext("compiler", machine.compiler);
  benchmark::AddCustomContext("pinning", describe_placement(Placement{}));
  benchmark::AddCustomContext("vector_store", vector_store_name());
  benchmark::AddCustomContext("command", command);
}

}  // namespace
}  // namespace evring::bench

int main(int argc, char** argv) {
  using namespace evring::bench;
  const std::string command = describe_command();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  describe_run(command);
  register_cost_benchmarks();
  register_core_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
