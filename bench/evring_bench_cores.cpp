// SPDX-License-Identifier: MIT
// What moves between cores: one producer to 1, 2 and 4 consumers, bare lines, round
// trips beside bare lines, wake-ups beside a bare eventfd. Threads are pinned; with
// more threads than CPUs they yield, and the row says oversubscribed.
#include "evring_bench.hpp"

#include <bench/measure/wake.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace evring::bench {
namespace {

/// Where an iteration's time is the median of many: iterations of a fixed number, for
/// their sum would take for ever to reach a minimum time.
constexpr benchmark::IterationCount kMedians = 5;

/// Events of one run: enough to leave the ring many times, few for slow contenders.
std::uint64_t events_of(const Contender& contender) {
  const bool quick = contender.origin == Origin::kEvring || contender.name == "boost-spsc";
  return quick ? 1 << 19 : 1 << 15;
}

void throughput(benchmark::State& state, const Contender& contender) {
  RunOptions options;
  options.burst_count = static_cast<std::size_t>(state.range(1));
  options.consumer_count = static_cast<unsigned>(state.range(2));
  options.event_count = events_of(contender);
  for (auto _ : state) report(state, contender.throughput(options));
  if (options.placement.oversubscribed(1 + options.consumer_count)) {
    state.SetLabel("oversubscribed");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(options.event_count));
}

void bare_lines(benchmark::State& state, LineStore store) {
  RunOptions options;
  options.burst_count = static_cast<std::size_t>(state.range(0));
  options.event_count = 1 << 19;
  for (auto _ : state) report(state, run_bare_lines(options, store));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(options.event_count));
}

void ping_pong(benchmark::State& state, const Contender& contender) {
  PingPongResult sum;
  for (auto _ : state) {
    const PingPongResult result = contender.ping_pong({.block_count = 10});
    if (!result.exact) state.SkipWithError("a round trip brought back another payload");
    state.SetIterationTime(result.round_trip_ns * 1e-9);
    sum.one_line_ns += result.one_line_ns;
    sum.two_line_ns += result.two_line_ns;
  }
  state.counters["bare_one_line_ns"] =
      benchmark::Counter(sum.one_line_ns, benchmark::Counter::kAvgIterations);
  state.counters["bare_two_line_ns"] =
      benchmark::Counter(sum.two_line_ns, benchmark::Counter::kAvgIterations);
}

void wake(benchmark::State& state, WakeResult (*run)(const WakeOptions&)) {
  const WakeOptions options{.sleep = std::chrono::microseconds(state.range(0)), .round_count = 50};
  double waker_ns = 0;
  for (auto _ : state) {
    const WakeResult result = run(options);
    if (!result.exact) state.SkipWithError("a wake-up was lost or doubled");
    state.SetIterationTime(result.p50_ns * 1e-9);
    waker_ns += result.waker_p50_ns;
  }
  state.counters["waker_ns"] = benchmark::Counter(waker_ns, benchmark::Counter::kAvgIterations);
}

void register_contender(const Contender& each) {
  const auto payload = static_cast<std::int64_t>(each.payload_bytes);
  auto* rates =
      benchmark::RegisterBenchmark(("BM_Throughput/" + each.name).c_str(),
                                   [&each](benchmark::State& state) { throughput(state, each); });
  rates->ArgNames({"payload", "burst", "consumers"})->UseManualTime();
  for (const std::int64_t burst : {1, 32}) {
    for (const std::int64_t consumers : {1, 2, 4}) rates->Args({payload, burst, consumers});
  }
  benchmark::RegisterBenchmark(("BM_PingPong/" + each.name).c_str(),
                               [&each](benchmark::State& state) { ping_pong(state, each); })
      ->ArgName("payload")
      ->Arg(payload)
      ->Iterations(kMedians)
      ->UseManualTime();
}

void register_wake(const char* name, WakeResult (*run)(const WakeOptions&)) {
  benchmark::RegisterBenchmark((std::string("BM_WakeLatency/") + name).c_str(),
                               [run](benchmark::State& state) { wake(state, run); })
      ->ArgName("slept_us")
      ->Arg(20)
      ->Arg(1000)
      ->Iterations(kMedians)
      ->UseManualTime();
}

void register_limits() {
  const auto lines = [](const char* name, LineStore store) {
    benchmark::RegisterBenchmark((std::string("BM_BareLines/") + name).c_str(),
                                 [store](benchmark::State& state) { bare_lines(state, store); })
        ->ArgName("burst")
        ->Arg(32)
        ->Arg(256)
        ->UseManualTime();
  };
  lines("plain", LineStore::kPlain);
  lines("vector", LineStore::kVector);
  benchmark::RegisterBenchmark("BM_SystemCall", [](benchmark::State& state) {
    for (auto _ : state) ::syscall(SYS_getppid);
  });
}

}  // namespace

void register_core_benchmarks() {
  register_limits();
  for (const Contender& each : all_contenders()) {
    if (in_table(each) && each.two_threads) register_contender(each);
  }
  register_wake("doorbell", run_doorbell_wake);
  register_wake("eventfd", run_eventfd_wake);
  register_wake("futex", run_futex_wake);
}

}  // namespace evring::bench
