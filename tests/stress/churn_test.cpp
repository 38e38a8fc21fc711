// SPDX-License-Identifier: MIT
// Producers share a ring while consumers come late, leave early, read in every way,
// park and get lapped. Every payload is checksummed, every account is balanced.
// Seeded: EVRING_SEED repeats the choices; a failure prints the seed.
#include <evring/shared_producer.hpp>

#include <gtest/gtest.h>

#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

namespace evring {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 0) : otherwise;
}

std::uint64_t base_seed() {
  static const std::uint64_t seed = environment("EVRING_SEED", std::random_device{}());
  return seed;
}

/// What a producer puts in: who and which, noise, and a sum over them.
struct Payload {
  std::uint64_t producer;
  std::uint64_t number;
  std::uint64_t noise[2];
  std::uint64_t sum;

  std::uint64_t right_sum() const noexcept {
    std::uint64_t x = producer * 0x9e3779b97f4a7c15ULL ^ number;
    for (const std::uint64_t word : noise) x = (x ^ word) * 0xbf58476d1ce4e5b9ULL;
    return x ^ (x >> 31);
  }
};
static_assert(sizeof(Payload) == 40);

struct Load {
  Mode mode;
  WhenFull when_full;
  int producer_count;
  int consumer_count;
  bool parks;
};

void PrintTo(const Load& load, std::ostream* out) {
  *out << (load.mode == Mode::kOverwrite       ? "overwrite"
           : load.when_full == WhenFull::kWait ? "waits"
                                               : "refuses")
       << "_p" << load.producer_count << "_c" << load.consumer_count
       << (load.parks ? "_parks" : "");
}

/// One consumer's findings; added up over all that came and went.
struct Findings {
  std::atomic<std::uint64_t> received = 0;
  std::atomic<std::uint64_t> corrupt = 0;
  std::atomic<std::uint64_t> out_of_order = 0;
  std::atomic<std::uint64_t> unbalanced = 0;
  std::atomic<std::uint64_t> lost_while_gated = 0;
  std::atomic<std::uint64_t> missed_wakes = 0;
  std::atomic<std::uint64_t> lives = 0;
};

template <class Layout>
class Churn {
 public:
  explicit Churn(const Load& load)
      : load_(load),
        ring_(LocalRing::anonymous({.slot_count = 256,
                                    .slot = slot_of<Layout>(),
                                    .mode = load.mode,
                                    .first_sequence = (std::uint64_t{1} << 32) - 1000,
                                    .registered_count_max = 16})),
        producer_(ring_, load.when_full) {}

  void run(std::chrono::milliseconds time);
  void check();

 private:
  using Core = ConsumerCore<Layout>;
  using Event = BasicEvent<Layout>;

  void produce(int index);
  void consume(int index);
  void live(std::mt19937_64& random);
  void live_gated(std::mt19937_64& random, Core& consumer, Registration& registration);
  void read_some(std::mt19937_64& random, Core& consumer, std::uint64_t& expected);
  void look_at(const Event& event, std::uint64_t& expected);
  void park(Core& consumer, Registration& registration);
  void settle(const Core& consumer);

  Load load_;
  LocalRing ring_;
  SharedProducer<Layout> producer_;
  Findings findings_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> consumers_stop_ = false;
  std::atomic<std::uint64_t> offered_ = 0;
  std::atomic<std::uint64_t> accepted_ = 0;
};

template <class Layout>
void Churn<Layout>::run(std::chrono::milliseconds time) {
  std::vector<std::thread> producers;
  std::vector<std::thread> consumers;
  for (int i = 0; i < load_.producer_count; ++i) producers.emplace_back([this, i] { produce(i); });
  for (int i = 0; i < load_.consumer_count; ++i) consumers.emplace_back([this, i] { consume(i); });
  std::this_thread::sleep_for(time);
  stop_ = true;
  for (std::thread& thread : producers) thread.join();
  consumers_stop_ = true;
  for (std::thread& thread : consumers) thread.join();
}

template <class Layout>
void Churn<Layout>::produce(int index) {
  std::mt19937_64 random(base_seed() * 1000 + static_cast<std::uint64_t>(index));
  std::vector<Event> events(32);
  std::uint64_t number = 0;
  while (!stop_) {
    const std::size_t count = 1 + random() % events.size();
    for (std::size_t i = 0; i < count; ++i) {
      Payload payload{static_cast<std::uint64_t>(index), number++, {random(), random()}, 0};
      payload.sum = payload.right_sum();
      events[i].set(payload);
    }
    offered_ += count;
    if (random() % 3 == 0) {
      for (std::size_t i = 0; i < count; ++i) {
        accepted_ += producer_.publish(events[i]) == PublishStatus::kPublished;
      }
    } else {
      accepted_ += producer_.publish_batch({events.data(), count});
    }
    if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
  }
}

template <class Layout>
void Churn<Layout>::consume(int index) {
  std::mt19937_64 random(base_seed() * 1000 + 500 + static_cast<std::uint64_t>(index));
  do {
    live(random);
    ++findings_.lives;
  } while (!consumers_stop_);
}

/// One consumer from its start to its end, early or late.
template <class Layout>
void Churn<Layout>::live(std::mt19937_64& random) {
  const StartAt start_at = random() % 2 == 0 ? StartAt::kOldest : StartAt::kNewest;
  if (load_.mode == Mode::kGated || load_.parks) {
    const auto registration = std::make_shared<Registration>(ring_.register_consumer(start_at));
    BasicGatedConsumer<Layout> consumer(ring_.mapping(), registration);
    live_gated(random, consumer, *registration);
    settle(consumer);
    return;
  }
  BasicConsumer<Layout> consumer(ring_.mapping(), start_at);
  std::uint64_t expected = consumer.cursor();
  for (std::uint64_t i = random() % 2000; i > 0 && !consumers_stop_; --i) {
    read_some(random, consumer, expected);
    if (random() % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
  }
  settle(consumer);
}

template <class Layout>
void Churn<Layout>::live_gated(std::mt19937_64& random, Core& consumer,
                               Registration& registration) {
  std::uint64_t expected = consumer.cursor();
  for (std::uint64_t i = random() % 500; i > 0 && !consumers_stop_; --i) {
    read_some(random, consumer, expected);
    if (load_.parks && !consumer.has_work()) park(consumer, registration);
  }
}

template <class Layout>
void Churn<Layout>::read_some(std::mt19937_64& random, Core& consumer, std::uint64_t& expected) {
  ReadStatus status = ReadStatus::kEmpty;
  Event event;
  std::vector<Event> burst(1 + random() % 40);
  const auto copy = [](const SlotView<Layout>& view, Event& out) {
    out.sequence = view.sequence();
    for (std::size_t i = 0; i < 5; ++i) {
      const std::uint64_t word = view.word(i);
      __builtin_memcpy(out.payload.data() + 8 * i, &word, 8);
    }
  };
  switch (random() % 4) {
    case 0:
      status = consumer.try_read(event);
      if (status == ReadStatus::kEvent) look_at(event, expected);
      break;
    case 1: {
      const Burst got = consumer.read_burst(burst);
      status = got.status;
      for (std::size_t i = 0; i < got.count; ++i) look_at(burst[i], expected);
      break;
    }
    case 2: {
      Event* next = burst.data();
      const Burst got = consumer.visit_burst(
          burst.size(), [&](const SlotView<Layout>& view) { copy(view, *next++); });
      status = got.status;
      for (std::size_t i = 0; i < got.count; ++i) look_at(burst[i], expected);
      break;
    }
    default:
      status = consumer.visit([&](const SlotView<Layout>& view) { copy(view, event); });
      if (status == ReadStatus::kEvent) look_at(event, expected);
  }
  if (status == ReadStatus::kOverrun) {
    consumer.resync(random() % 4 == 0 ? ResyncTo::kNewest : ResyncTo::kOldest);
    expected = consumer.cursor();
  }
}

template <class Layout>
void Churn<Layout>::look_at(const Event& event, std::uint64_t& expected) {
  const auto payload = event.template get<Payload>();
  ++findings_.received;
  findings_.corrupt += payload.sum != payload.right_sum();
  findings_.out_of_order += event.sequence != expected;
  ++expected;
}

/// A park that ends by its long limit while events are there has missed its doorbell.
template <class Layout>
void Churn<Layout>::park(Core& consumer, Registration& registration) {
  if (!registration.arm({.wake_events = 8, .wake = std::chrono::microseconds(300)},
                        consumer.cursor())) {
    return;
  }
  pollfd waits[] = {{registration.doorbell_fd(), POLLIN, 0}, {registration.timer_fd(), POLLIN, 0}};
  for (int waited_ms = 0; waited_ms < 3000; waited_ms += 100) {
    if (::poll(waits, 2, 100) > 0 || consumers_stop_) {
      registration.disarm();
      return;
    }
  }
  findings_.missed_wakes += consumer.lag() > 0 ? 1 : 0;
  registration.disarm();
}

template <class Layout>
void Churn<Layout>::settle(const Core& consumer) {
  findings_.unbalanced += consumer.balance().balanced() ? 0 : 1;
  if (load_.mode == Mode::kGated) findings_.lost_while_gated += consumer.lost();
}

template <class Layout>
void Churn<Layout>::check() {
  EXPECT_EQ(findings_.corrupt, 0u);
  EXPECT_EQ(findings_.out_of_order, 0u);
  EXPECT_EQ(findings_.unbalanced, 0u);
  EXPECT_EQ(findings_.lost_while_gated, 0u);
  EXPECT_EQ(findings_.missed_wakes, 0u);
  EXPECT_GT(findings_.received, 0u);
  EXPECT_GE(findings_.lives, static_cast<std::uint64_t>(load_.consumer_count));
  producer_.with_producer([&](BasicProducer<Layout>& producer) {
    EXPECT_EQ(producer.offered(), offered_);
    EXPECT_EQ(producer.published(), accepted_);
    EXPECT_EQ(producer.published() + producer.dropped(), offered_);
    producer.refresh_status();
  });
  const Mapping mapping = ring_.mapping();
  const auto status = read_status(*mapping.header(), mapping.geometry().first_sequence);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->published, accepted_);
  EXPECT_EQ(status->block.published, accepted_);
  EXPECT_EQ(status->offered(), offered_);
  EXPECT_EQ(status->block.lock_contended == 0, status->block.lock_wait_ns == 0);
}

class ChurnTest : public ::testing::TestWithParam<Load> {};

template <class Layout>
void expect_balance(const Load& load) {
  SCOPED_TRACE("repeat with EVRING_SEED=" + std::to_string(base_seed()));
  Churn<Layout> churn(load);
  churn.run(std::chrono::milliseconds(environment("EVRING_STRESS_MS", 600)));
  churn.check();
}

TEST_P(ChurnTest, BalancesAndTearsNothing) { expect_balance<DefaultSlot>(GetParam()); }
TEST_P(ChurnTest, OfPackedSlotsNeither) { expect_balance<PackedSlot<64>>(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Loads, ChurnTest,
                         ::testing::Values(Load{Mode::kOverwrite, WhenFull::kWait, 1, 2, false},
                                           Load{Mode::kOverwrite, WhenFull::kWait, 3, 4, false},
                                           Load{Mode::kOverwrite, WhenFull::kWait, 2, 3, true},
                                           Load{Mode::kGated, WhenFull::kWait, 1, 2, false},
                                           Load{Mode::kGated, WhenFull::kWait, 3, 4, false},
                                           Load{Mode::kGated, WhenFull::kRefuse, 2, 3, false},
                                           Load{Mode::kGated, WhenFull::kRefuse, 2, 3, true},
                                           Load{Mode::kGated, WhenFull::kWait, 2, 3, true}),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace evring
