// SPDX-License-Identifier: MIT
// What one thread pays: publish, read and drain of a ring in its cache, and produce +
// consume for every contender. Pinned to the first allowed CPU.
#include "evring_bench.hpp"

#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace evring::bench {
namespace {

constexpr std::uint64_t kSlotCount = 4096;
constexpr std::size_t kBurst = 32;

template <class Layout>
constexpr std::size_t payload_of() {
  return Layout::payload_bytes();
}

/// A ring that nobody waits for, and its producer, on the first allowed CPU.
template <class Layout>
struct OneThread {
  OneThread() { pin_this_thread(allowed_cpus().front()); }

  void fill_ring() {
    std::vector<BasicEvent<Layout>> events(kSlotCount);
    for (std::uint64_t i = 0; i < kSlotCount; ++i) {
      events[i].set(source(producer.next_sequence() + i));
    }
    producer.publish_batch(events);
  }

  PatternSource<payload_of<Layout>()> source;
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
  OneThread<Layout> on;
  on.fill_ring();
  const auto burst = static_cast<std::size_t>(state.range(0));
  std::vector<BasicEvent<Layout>> events(burst);
  PatternSink<payload_of<Layout>(), Delivery::kShared> sink;
  const Mapping mapping = on.ring.mapping();
  BasicConsumer<Layout> consumer(mapping, StartAt::kOldest);
  std::uint64_t torn_or_missing = 0;
  for (auto _ : state) {
    if (consumer.lag() < burst) consumer = BasicConsumer<Layout>(mapping, StartAt::kOldest);
    std::size_t count = 1;
    if (burst == 1) {
      torn_or_missing += consumer.try_read(events.front()) == ReadStatus::kEvent ? 0 : 1;
    } else {
      count = consumer.read_burst(events).count;
    }
    torn_or_missing += burst - count;
    for (std::size_t i = 0; i < count; ++i) {
      sink(events[i].template get<Words<payload_of<Layout>()>>());
    }
  }
  torn_or_missing += sink.tally().torn;
  if (torn_or_missing != 0) state.SkipWithError("torn or missing events");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(burst));
}

/// One iteration drains the whole ring by bursts of 32.
template <class Layout>
void BM_Drain(benchmark::State& state) {
  OneThread<Layout> on;
  on.fill_ring();
  const Mapping mapping = on.ring.mapping();
  std::array<BasicEvent<Layout>, kBurst> events;
  for (auto _ : state) {
    BasicConsumer<Layout> consumer(mapping, StartAt::kOldest);
    PatternSink<payload_of<Layout>(), Delivery::kShared> sink;
    for (Burst burst = consumer.read_burst(events); burst.count != 0;
         burst = consumer.read_burst(events)) {
      for (std::size_t i = 0; i < burst.count; ++i) {
        sink(events[i].template get<Words<payload_of<Layout>()>>());
      }
    }
    if (sink.tally().received != kSlotCount || sink.tally().torn != 0) {
      state.SkipWithError("torn or missing events");
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSlotCount));
}

void same_thread(benchmark::State& state, const Contender& contender) {
  pin_this_thread(allowed_cpus().front());
  RunOptions options;
  options.burst_count = static_cast<std::size_t>(state.range(1));
  options.event_count = 1 << 16;
  for (auto _ : state) report(state, contender.same_thread(options));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(options.event_count));
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

}  // namespace

void register_cost_benchmarks() {
  register_layout<DefaultSlot>("default");
  register_layout<BareSlot64>("bare64");
  register_layout<BareSlot32>("bare32");
  for (const Contender& each : all_contenders()) {
    if (!in_table(each)) continue;
    benchmark::RegisterBenchmark(("BM_SameThread/" + each.name).c_str(),
                                 [&each](benchmark::State& state) { same_thread(state, each); })
        ->ArgNames({"payload", "burst"})
        ->Args({static_cast<std::int64_t>(each.payload_bytes), 1})
        ->Args({static_cast<std::int64_t>(each.payload_bytes), kBurst})
        ->UseManualTime();
  }
}

}  // namespace evring::bench
