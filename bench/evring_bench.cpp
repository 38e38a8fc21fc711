// SPDX-License-Identifier: MIT
// evring_bench: single calls by Google Benchmark, on one thread of the first allowed CPU.
// publish, read and drain of a ring in its cache; produce + consume of evring, the mutex list
// and Boost.Lockfree by the rig's loop. Every payload is checked; a benchmark whose payloads
// do not add up reports an error, not a figure. What moves between cores is bench/compare's.
#include <bench/rig/throughput.hpp>
#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

namespace evring::bench {
namespace {

constexpr std::uint64_t kSlotCount = 4096;
constexpr std::size_t kBurst = 32;

/// A ring that nobody waits for, and its producer.
template <class Layout>
struct OneThread {
  using Payload = Words<Layout::payload_bytes()>;
  using Sink = PatternSink<Layout::payload_bytes(), Delivery::kShared>;

  OneThread() { pin_this_thread(allowed_cpus().front()); }

  void fill_ring() {
    std::vector<BasicEvent<Layout>> events(kSlotCount);
    for (std::uint64_t i = 0; i < kSlotCount; ++i) {
      events[i].set(source(producer.next_sequence() + i));
    }
    producer.publish_batch(events);
  }

  PatternSource<Layout::payload_bytes()> source;
  LocalRing ring = LocalRing::anonymous({.slot_count = kSlotCount, .slot = slot_of<Layout>()});
  BasicProducer<Layout> producer{ring};
};

template <class Layout>
void BM_Publish(benchmark::State& state) {
  OneThread<Layout> on;
  const auto burst = static_cast<std::size_t>(state.range(0));
  std::vector<BasicEvent<Layout>> events(burst);
  for (auto _ : state) {
    const std::uint64_t first = on.producer.next_sequence();
    for (std::size_t i = 0; i < burst; ++i) events[i].set(on.source(first + i));
    if (burst == 1) {
      on.producer.publish(events.front());
    } else {
      on.producer.publish_batch(events);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(burst));
}

/// Reads a full ring again and again; each pass starts at the oldest event.
template <class Layout>
void BM_Read(benchmark::State& state) {
  using On = OneThread<Layout>;
  On on;
  on.fill_ring();
  const auto burst = static_cast<std::size_t>(state.range(0));
  std::vector<BasicEvent<Layout>> events(burst);
  typename On::Sink sink;
  const Mapping mapping = on.ring.mapping();
  BasicConsumer<Layout> consumer(mapping, StartAt::kOldest);
  std::uint64_t missing = 0;
  for (auto _ : state) {
    if (consumer.lag() < burst) consumer = BasicConsumer<Layout>(mapping, StartAt::kOldest);
    std::size_t count = burst;
    if (burst != 1) {
      count = consumer.read_burst(events).count;
    } else if (consumer.try_read(events.front()) != ReadStatus::kEvent) {
      count = 0;
    }
    missing += burst - count;
    for (std::size_t i = 0; i < count; ++i) sink(events[i].template get<typename On::Payload>());
  }
  if (missing + sink.tally().torn != 0) state.SkipWithError("torn or missing events");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(burst));
}

/// One iteration drains the whole ring by bursts.
template <class Layout>
void BM_Drain(benchmark::State& state) {
  using On = OneThread<Layout>;
  On on;
  on.fill_ring();
  const Mapping mapping = on.ring.mapping();
  std::vector<BasicEvent<Layout>> events(kBurst);
  for (auto _ : state) {
    BasicConsumer<Layout> consumer(mapping, StartAt::kOldest);
    typename On::Sink sink;
    for (Burst burst = consumer.read_burst(events); burst.count != 0;
         burst = consumer.read_burst(events)) {
      for (std::size_t i = 0; i < burst.count; ++i) {
        sink(events[i].template get<typename On::Payload>());
      }
    }
    if (sink.tally().received != kSlotCount || sink.tally().torn != 0) {
      state.SkipWithError("torn or missing events");
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSlotCount));
}

void same_thread_of(benchmark::State& state, const Contender& contender) {
  const Case one{.contender = contender.name,
                 .payload_bytes = contender.payload_bytes,
                 .burst_count = static_cast<std::size_t>(state.range(1)),
                 .event_count = 1 << 16,
                 .fifo = false};
  for (auto _ : state) {
    const Record record = contender.loops.at("same-thread")(one);
    if (!record["exact"]) state.SkipWithError("payloads do not add up: torn, lost or out of order");
    state.SetIterationTime(record["seconds"]);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(one.event_count));
}

template <class Layout>
void register_layout(const std::string& layout) {
  benchmark::RegisterBenchmark(("BM_Publish/" + layout).c_str(), BM_Publish<Layout>)
      ->ArgName("burst")
      ->Arg(1)
      ->Arg(kBurst);
  benchmark::RegisterBenchmark(("BM_Read/" + layout).c_str(), BM_Read<Layout>)
      ->ArgName("burst")
      ->Arg(1)
      ->Arg(kBurst);
  benchmark::RegisterBenchmark(("BM_Drain/" + layout).c_str(), BM_Drain<Layout>);
}

void register_contender(const Contender& each) {
  const auto payload = static_cast<std::int64_t>(each.payload_bytes);
  benchmark::RegisterBenchmark(("BM_SameThread/" + each.name).c_str(),
                               [&each](benchmark::State& state) { same_thread_of(state, each); })
      ->ArgNames({"payload", "burst"})
      ->Args({payload, 1})
      ->Args({payload, kBurst})
      ->UseManualTime();
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
  register_layout<evring::DefaultSlot>("default");
  register_layout<evring::BareSlot64>("bare64");
  register_layout<evring::BareSlot32>("bare32");
  for (const Contender& each : all_contenders()) {
    if (in_table(each)) register_contender(each);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
