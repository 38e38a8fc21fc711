// SPDX-License-Identifier: MIT
// What a poller hands over, whatever it does while there is nothing.
#include "support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace evring {
namespace {

class StrategyTest : public testing::TestWithParam<WaitStrategy> {};

INSTANTIATE_TEST_SUITE_P(Strategies, StrategyTest, kEveryStrategy, strategy_name);

TEST_P(StrategyTest, GivesEveryEventOfManyRingsInOrder) {
  constexpr unsigned kRingCount = 20;
  constexpr std::uint64_t kEventCount = 2000;
  PollerOptions options;
  options.strategy = GetParam();
  options.spin = std::chrono::microseconds(5);
  RunningPoller poller(std::move(options));
  std::vector<LocalRing> rings;
  for (unsigned i = 0; i < kRingCount; ++i) {
    rings.push_back(small_ring(Mode::kGated));
    poller->add(PollSource::of(rings.back()));
  }
  poller.start();
  std::vector<std::unique_ptr<Producer>> producers;
  for (const LocalRing& ring : rings) producers.push_back(std::make_unique<Producer>(ring));
  for (std::uint64_t event = 0; event < kEventCount; ++event) {
    producers[event % kRingCount]->publish(event_of(event));
  }
  ASSERT_TRUE(eventually([&] { return poller->counters().events == kEventCount; }));
  poller.stop();
  for (unsigned ring = 0; ring < kRingCount; ++ring) {
    ASSERT_EQ(poller.values(ring).size(), kEventCount / kRingCount);
    for (std::uint64_t i = 0; i < poller.values(ring).size(); ++i) {
      ASSERT_EQ(poller.values(ring)[i], i * kRingCount + ring);
    }
    EXPECT_EQ(poller->counters(ring).lost, 0u);
    EXPECT_TRUE(poller->consumer(ring).balance().balanced());
  }
}

TEST_P(StrategyTest, ASpinnerNeverArms) {
  PollerOptions options;
  options.strategy = GetParam();
  options.spin = std::chrono::microseconds(0);
  Poller poller(std::move(options));
  poller.add(PollSource::of(small_ring()));
  for (int i = 0; i < 1000; ++i) poller.poll_once(kIgnore);
  const bool arms = GetParam() == WaitStrategy::kAdaptive || GetParam() == WaitStrategy::kPark;
  EXPECT_EQ(poller.counters(0).arms > 0, arms);
}

TEST(PollerTest, ReportsEachOverrunAndKeepsTheBalance) {
  std::uint64_t reported = 0;
  PollerOptions options;
  options.strategy = WaitStrategy::kBusySpin;
  options.on_overrun = [&](unsigned ring, std::uint64_t lost) {
    EXPECT_EQ(ring, 0u);
    reported += lost;
  };
  LocalRing ring = small_ring(Mode::kOverwrite, 8);
  Producer producer(ring);
  Poller poller(std::move(options));
  poller.add(PollSource::of(ring, {.start_at = StartAt::kOldest}));
  std::uint64_t received = 0;
  const auto count = [&](unsigned, std::span<const Event> events) { received += events.size(); };
  for (std::uint64_t i = 0; i < 100; ++i) {
    producer.publish(event_of(i));
    if (i % 20 == 19) poller.poll_once(count);
  }
  poller.drain(count);
  EXPECT_EQ(received + reported, 100u);
  EXPECT_GT(reported, 0u);
  EXPECT_EQ(poller.counters(0).lost, reported);
  EXPECT_EQ(poller.counters(0).received, received);
  EXPECT_EQ(poller.counters(0).cursor, 100u);
}

TEST(PollerTest, ABurstIsBounded) {
  PollerOptions options;
  options.burst_count = 7;
  LocalRing ring = small_ring();
  Producer producer(ring);
  Poller poller(std::move(options));
  poller.add(PollSource::of(ring, {.start_at = StartAt::kOldest}));
  for (std::uint64_t i = 0; i < 20; ++i) producer.publish(event_of(i));
  std::vector<std::size_t> sizes;
  const auto note = [&](unsigned, std::span<const Event> events) {
    sizes.push_back(events.size());
  };
  while (poller.poll_once(note) != 0) {
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{7, 7, 6}));
}

TEST(PollerTest, DrainsUpToTheHeadOfItsCall) {
  LocalRing ring = small_ring();
  Producer producer(ring);
  Poller poller;
  poller.add(PollSource::of(ring));
  for (std::uint64_t i = 0; i < 50; ++i) producer.publish(event_of(i));
  std::uint64_t seen = 0;
  const auto publish_more = [&](unsigned, std::span<const Event> events) {
    seen += events.size();
    producer.publish(event_of(0));
  };
  EXPECT_GE(poller.drain(publish_more), 50u);
  EXPECT_LT(seen, 60u) << "a producer that goes on must not keep it";
}

TEST(PollerTest, AGatedRingHoldsItsProducerUntilTheBurstIsHandedOver) {
  LocalRing ring = small_ring(Mode::kGated, 8);
  Producer producer(ring, WhenFull::kRefuse);
  Poller poller;
  poller.add(PollSource::of(ring));
  for (std::uint64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(producer.publish(event_of(i)), PublishStatus::kPublished);
  }
  EXPECT_EQ(producer.publish(event_of(8)), PublishStatus::kDropped);
  EXPECT_EQ(poller.poll_once(kIgnore), 8u);
  EXPECT_EQ(producer.publish(event_of(8)), PublishStatus::kPublished);
  EXPECT_EQ(producer.dropped(), 1u);
}

TEST(PollerTest, SpinsAndSaysWhyWhenNoDoorbellIsLeft) {
  LocalRingOptions options;
  options.registered_count_max = 1;
  LocalRing ring = LocalRing::anonymous(options);
  Producer producer(ring);
  PollerOptions parking;
  parking.strategy = WaitStrategy::kPark;
  Poller first(parking);
  RunningPoller second(parking);
  first.add(PollSource::of(ring));
  second->add(PollSource::of(ring));
  EXPECT_EQ(second->rung(0).rung, Rung::kSpin);
  EXPECT_FALSE(second->rung(0).reason.empty());
  second.start();
  producer.publish(event_of(5));
  EXPECT_TRUE(eventually([&] { return second->counters(0).received == 1; }));
  second.stop();
  EXPECT_EQ(second->counters().parks, 0u);
}

TEST(PollerTest, NoticesAnOwnerThatWasKilled) {
  const FreshRuntimeDir runtime_dir;
  const std::string name = "poller-killed-" + std::to_string(getpid());
  const pid_t owner = fork();
  if (owner == 0) {
    LocalRingOptions options;
    options.name = name;
    const LocalRing ring = LocalRing::named(options);
    Producer producer(ring);
    for (std::uint64_t i = 0; i < 3; ++i) producer.publish(event_of(i));
    for (;;) pause();
  }
  std::optional<PollSource> source;
  ASSERT_TRUE(eventually([&] {
    try {
      source.emplace(PollSource::open("local:" + name, {.start_at = StartAt::kOldest}));
      return source->consumer.head() == 3;
    } catch (const std::system_error&) {
      return false;
    }
  }));
  GoneReason reason = GoneReason::kNot;
  PollerOptions options;
  options.strategy = WaitStrategy::kPark;
  options.on_gone = [&](unsigned, GoneReason why) { reason = why; };
  RunningPoller poller(std::move(options));
  poller->add(*std::move(source));
  poller.start();
  ASSERT_TRUE(eventually([&] { return poller->counters(0).received == 3; }));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  EXPECT_EQ(poller.join(), RunEnd::kAllGone);
  EXPECT_EQ(reason, GoneReason::kOwnerDied);
}

TEST(PollSourceTest, NamesAnUnknownLocalRing) {
  try {
    PollSource::open("local:no-such-ring");
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("no-such-ring"), std::string::npos) << error.what();
  }
}

TEST(PollSourceTest, TriesAndSaysWhyNot) {
  const FreshRuntimeDir runtime_dir;
  const auto absent = PollSource::try_open("local:no-such-ring");
  EXPECT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ENOENT);
  EXPECT_NE(absent.error().text.find("no-such-ring"), std::string::npos) << absent.error().text;
  LocalRingOptions options;
  options.name = "tried-" + std::to_string(getpid());
  options.slot = slot_of<BareSlot64>();
  const LocalRing ring = LocalRing::named(options);
  EXPECT_EQ(PollSource::try_open("local:" + options.name).error().code, EINVAL) << "other slots";
  const LinkOptions past{.start_at = StartAt::kSequence, .sequence = 9, .doorbell = false};
  EXPECT_EQ(AnyPollSource::try_open("local:" + options.name, past).error().code, ERANGE);
  auto source = AnyPollSource::try_open("local:" + options.name);
  ASSERT_TRUE(source);
  EXPECT_EQ(source.error().code, 0);
  AnyPoller poller;
  poller.add(*std::move(source));
  EXPECT_EQ(poller.link(0).name(), "local:" + options.name);
}

TEST(PollSourceTest, StartsWhereItIsRegisteredWhateverIsPublishedSince) {
  for (const StartAt start_at : {StartAt::kNewest, StartAt::kOldest}) {
    LocalRing ring = small_ring();
    Producer producer(ring);
    producer.publish(event_of(0));
    RingLink link = RingLink::of(ring, {.start_at = start_at});
    ASSERT_EQ(ring.registered_count(), 1u);
    for (std::uint64_t i = 1; i <= 3; ++i) producer.publish(event_of(i));
    const PollSource source = PollSource::from(std::move(link));
    EXPECT_EQ(source.consumer.cursor(), start_at == StartAt::kNewest ? 1u : 0u);
  }
}

}  // namespace
}  // namespace evring
