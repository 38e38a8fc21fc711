// SPDX-License-Identifier: MIT
// Every contender passes its payload check, and the check catches those that must not
// pass: a figure from a queue that drops, repeats or tears an event is worth nothing.
#include <gtest/gtest.h>

#include <bench/contenders/bare_slots.hpp>
#include <bench/rig/threads.hpp>
#include <bench/rig/throughput.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace evring::bench {
namespace {

std::string test_name(const testing::TestParamInfo<Contender>& info) {
  std::string name = info.param.name + "_" + std::to_string(info.param.payload_bytes);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Case small_case(unsigned consumer_count, std::size_t burst_count) {
  return {.burst_count = burst_count,
          .consumer_count = consumer_count,
          .slot_count = 256,
          .event_count = 5'000,
          .fifo = false};
}

class ContenderTest : public testing::TestWithParam<Contender> {
 protected:
  /// The record of a loop; null: this contender has none of that name.
  static Record run(const std::string& loop, const Case& one) {
    const auto found = GetParam().loops.find(loop);
    return found == GetParam().loops.end() ? Record() : found->second(one);
  }
  /// Whether all added up; of slots that nobody checks some are torn, as they may be.
  static bool holds(const Record& record) {
    return record.is_null() || record["exact"] || GetParam().name == "unchecked-slots";
  }
};

TEST_P(ContenderTest, PassesItsPayloadCheckOnOneThread) {
  for (const std::size_t burst : {1, 32}) {
    const Record record = run("same-thread", small_case(1, burst));
    EXPECT_TRUE(record["exact"]) << "bursts of " << burst;
    EXPECT_EQ(record["published"], 5'000u);
  }
}

TEST_P(ContenderTest, PassesItsPayloadCheckBetweenThreads) {
  for (const unsigned consumers : {1, 2}) {
    const Record record = run("throughput", small_case(consumers, 32));
    if (record.is_null()) return;  // no queue, so nothing between threads
    EXPECT_TRUE(holds(record)) << consumers << " consumers";
    EXPECT_EQ(record["published"], 5'000u);
    const std::uint64_t copies = GetParam().delivery == Delivery::kShared ? 1 : consumers;
    EXPECT_EQ(record["received"].get<std::uint64_t>() + record["lost"].get<std::uint64_t>(),
              copies * 5'000u);
  }
}

TEST_P(ContenderTest, PassesItsPayloadCheckOnTheProducersCpu) {
  Case spread = small_case(2, 32);
  spread.variant = kSpread;
  const Record record = run("throughput", spread);
  EXPECT_TRUE(holds(record));
}

TEST_P(ContenderTest, PassesItsPayloadCheckFromMemory) {
  Case memory = small_case(1, 32);
  memory.variant = "memory";
  const Record record = run("throughput", memory);
  EXPECT_TRUE(holds(record));
}

TEST_P(ContenderTest, PassesItsPayloadCheckInSingleCalls) {
  for (const char* loop : {"publish", "read"}) {
    for (const std::size_t burst : {1, 32}) {
      const Record record = run(loop, small_case(1, burst));
      EXPECT_TRUE(holds(record)) << loop << " in bursts of " << burst;
    }
  }
}

TEST_P(ContenderTest, CarriesARoundTripAndALatency) {
  Case one = small_case(1, 1);
  one.event_count = 400;
  one.rate_hz = 1e5;
  one.duration_ms = 1;
  const Record trip = run("ping-pong", one);
  EXPECT_TRUE(holds(trip));
  const Record latency = run("latency", one);
  EXPECT_TRUE(holds(latency));
}

INSTANTIATE_TEST_SUITE_P(All, ContenderTest, testing::ValuesIn(all_contenders()), test_name);

std::vector<int> cpus_of(const Placement& placement) {
  std::vector<int> cpus;
  for (unsigned thread = 0; thread < 4; ++thread) cpus.push_back(placement.cpu_of(thread));
  return cpus;
}

TEST(PlacementTest, LeavesTheProducerAloneWhereItCan) {
  using Cpus = std::vector<int>;
  EXPECT_EQ(cpus_of({.cpus = {3, 5, 7}}), (Cpus{3, 5, 7, 5}));
  EXPECT_EQ(cpus_of({.cpus = {3, 5, 7}, .producer_alone = false}), (Cpus{3, 5, 7, 3}));
  EXPECT_EQ(cpus_of({.cpus = {3}}), (Cpus{3, 3, 3, 3}));
  EXPECT_EQ(cpus_of(Placement::of({.cpus = {5, 3}})), (Cpus{5, 3, 3, 3}));
  EXPECT_FALSE(Placement::of({.variant = std::string(kSpread)}).producer_alone);
  EXPECT_TRUE(Placement::of({}).producer_alone);
}

TEST(RegistryTest, NamesEachContenderOnce) {
  std::set<std::string> seen;
  for (const Contender& each : all_contenders()) {
    EXPECT_TRUE(seen.insert(each.name + "/" + std::to_string(each.payload_bytes)).second)
        << each.name;
  }
  EXPECT_THROW(find_contender("evring-gated", 57), std::invalid_argument);
  EXPECT_EQ(find_contender("evring-gated", 56).name, "evring-gated");
}

/// Two files that name a template alike share it once they are linked, whatever their namespaces.
TEST(RegistryTest, GivesEachContenderLoopsOfItsOwn) {
  std::set<bench::Run> seen;
  for (const Contender& each : all_contenders()) {
    for (const auto& [loop, run] : each.loops) {
      EXPECT_TRUE(seen.insert(run).second) << each.name << " " << loop << " is another's";
    }
  }
}

TEST(BareSlotsTest, ShowsALappedConsumerWrongPayloadsAndDoesNotHang) {
  using Slots = BareSlots<56>;
  Slots queue({.slot_count = 16});
  Slots::Producer producer(queue);
  Slots::Consumer consumer(queue, 0);
  PatternSource<56> source;
  PatternSink<56, Delivery::kEach> sink;
  EXPECT_EQ(producer.offer(0, 24, source), 24u);  // the first eight are gone
  EXPECT_EQ(consumer.take(32, sink), 24u);
  EXPECT_EQ(sink.tally().out_of_order, 2u) << "16 where 0 was due, 8 where 24 was";
  EXPECT_EQ(consumer.take(1, sink), 0u);
}

TEST(RigTest, RefusesWhatIsNotThere) {
  EXPECT_THROW(run_case({.loop = "no such loop"}), std::invalid_argument);
  EXPECT_THROW(run_case({.contender = "no-queue"}), std::invalid_argument) << "throughput of none";
  EXPECT_THROW(run_case({.loop = "stopped-consumer", .variant = "asleep"}), std::invalid_argument);
  EXPECT_THROW(run_case({.loop = "waiting", .variant = "nowhere"}), std::invalid_argument);
}

/// A bounded queue behind a mutex that spoils one event in a hundred.
enum class Fault { kNone, kDrop, kRepeat, kTear, kSwap };

template <Fault kFault, Delivery kPromised>
class FaultyQueue {
 public:
  static constexpr std::size_t kPayloadBytes = 56;
  static constexpr Delivery kDelivery = kPromised;
  using Payload = Words<kPayloadBytes>;

  explicit FaultyQueue(const Case&) {}

  class Producer {
   public:
    explicit Producer(FaultyQueue& queue) : queue_(queue) {}
    template <class Source>
    std::size_t offer(std::uint64_t first, std::size_t count, Source& source) {
      const std::lock_guard<std::mutex> held(queue_.mutex_);
      for (std::size_t i = 0; i < count; ++i) queue_.add(first + i, source(first + i));
      return count;
    }

   private:
    FaultyQueue& queue_;
  };

  class Consumer {
   public:
    Consumer(FaultyQueue& queue, unsigned) : queue_(queue) {}
    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) {
      const std::lock_guard<std::mutex> held(queue_.mutex_);
      const std::size_t taken = std::min(count, queue_.events_.size() - queue_.next_);
      for (std::size_t i = 0; i < taken; ++i) sink(queue_.events_[queue_.next_ + i]);
      queue_.next_ += taken;
      return taken;
    }
    std::uint64_t lost() const noexcept { return 0; }

   private:
    FaultyQueue& queue_;
  };

 private:
  void add(std::uint64_t sequence, Payload payload) {
    const bool spoil = sequence % 100 == 99;
    if (kFault == Fault::kDrop && spoil) return;
    if (kFault == Fault::kTear && spoil) payload[5] -= kPatternStep;  // a word of another event
    events_.push_back(payload);
    if (kFault == Fault::kRepeat && spoil) events_.push_back(payload);
    if (kFault == Fault::kSwap && spoil) std::swap(events_.end()[-1], events_.end()[-2]);
  }

  std::mutex mutex_;
  std::vector<Payload> events_;
  std::size_t next_ = 0;
};

template <Fault kFault, Delivery kDelivery>
Outcome outcome_of() {
  const Case one = small_case(1, 32);
  FaultyQueue<kFault, kDelivery> queue(one);
  return ThroughputRun<FaultyQueue<kFault, kDelivery>>(one, queue)();
}

TEST(PayloadCheckTest, PassesAQueueWithoutFault) {
  EXPECT_TRUE((outcome_of<Fault::kNone, Delivery::kEach>().exact));
  EXPECT_TRUE((outcome_of<Fault::kNone, Delivery::kLossy>().exact));
  EXPECT_TRUE((outcome_of<Fault::kNone, Delivery::kShared>().exact));
}

TEST(PayloadCheckTest, CatchesADroppedEvent) {
  EXPECT_FALSE((outcome_of<Fault::kDrop, Delivery::kEach>().exact));
  EXPECT_FALSE((outcome_of<Fault::kDrop, Delivery::kLossy>().exact)) << "lost, and not counted";
  EXPECT_FALSE((outcome_of<Fault::kDrop, Delivery::kShared>().exact));
}

TEST(PayloadCheckTest, CatchesARepeatedEvent) {
  EXPECT_FALSE((outcome_of<Fault::kRepeat, Delivery::kEach>().exact));
  EXPECT_FALSE((outcome_of<Fault::kRepeat, Delivery::kLossy>().exact));
  EXPECT_FALSE((outcome_of<Fault::kRepeat, Delivery::kShared>().exact));
}

TEST(PayloadCheckTest, CatchesATornEvent) {
  const Outcome each = outcome_of<Fault::kTear, Delivery::kEach>();
  EXPECT_FALSE(each.exact);
  EXPECT_EQ(each.torn, 50u);
  EXPECT_EQ((outcome_of<Fault::kTear, Delivery::kLossy>().torn), 50u);
  EXPECT_EQ((outcome_of<Fault::kTear, Delivery::kShared>().torn), 50u);
}

TEST(PayloadCheckTest, IsSaidByTheRecord) {
  EXPECT_FALSE(
      (throughput<FaultyQueue<Fault::kTear, Delivery::kEach>>(small_case(1, 32))["exact"]));
  EXPECT_TRUE((throughput<FaultyQueue<Fault::kNone, Delivery::kEach>>(small_case(1, 32))["exact"]));
}

TEST(PayloadCheckTest, CatchesSwappedEvents) {
  EXPECT_FALSE((outcome_of<Fault::kSwap, Delivery::kEach>().exact));
  EXPECT_FALSE((outcome_of<Fault::kSwap, Delivery::kLossy>().exact));
}

}  // namespace
}  // namespace evring::bench
