// SPDX-License-Identifier: MIT
// A poller of a thousand rings: what the quiet ones cost, how soon they are seen, and
// that none is forgotten.
#include "support.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <map>
#include <random>

namespace evring {
namespace {

constexpr unsigned kQuietCount = 1000;
/// Passes in which each of them is glanced at once: two a pass, four where it found events.
constexpr std::uint64_t kIdlePasses = kQuietCount / 2 + 1;
constexpr std::uint64_t kBusyPasses = kQuietCount / 4 + 1;

void raise_descriptor_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

LocalRing tiny_ring(std::uint64_t slot_count = 4) {
  LocalRingOptions options;
  options.slot_count = slot_count;
  options.registered_count_max = 1;
  return LocalRing::anonymous(options);
}

/// Ring 0 is busy, the others are quiet; driven pass by pass by the test.
class ManyRingsTest : public testing::Test {
 protected:
  static PollerOptions spinning() {
    PollerOptions options;
    options.strategy = WaitStrategy::kBusySpin;
    return options;
  }

  void SetUp() override {
    raise_descriptor_limit();
    poller_.add(PollSource::of(busy_, {.doorbell = false}));
    for (unsigned i = 0; i < kQuietCount; ++i) {
      quiet_.push_back(tiny_ring());
      poller_.add(PollSource::of(quiet_.back(), {.doorbell = false}));
    }
    for (int i = 0; i < 1000; ++i) poller_.poll_once(kIgnore);  // until they count as quiet
  }

  void publish_busy(std::size_t count) {
    const std::vector<Event> batch(count, event_of(1));
    busy_producer_.publish_batch(batch);
  }

  /// Passes until a quiet ring's new event was handed over.
  std::uint64_t passes_until_seen(unsigned id, bool is_busy) {
    Producer producer(quiet_[id - 1]);
    producer.publish(event_of(id));
    bool seen = false;
    const auto handler = [&](unsigned ring, std::span<const Event> events) {
      seen = seen || (ring == id && events.front().get<std::uint64_t>() == id);
    };
    for (std::uint64_t pass = 1; pass < 100 * kIdlePasses; ++pass) {
      if (is_busy) publish_busy(32);
      poller_.poll_once(handler);
      if (seen) return pass;
    }
    return 100 * kIdlePasses;
  }

  LocalRing busy_ = small_ring(Mode::kOverwrite, 4096);
  Producer busy_producer_{busy_};
  std::vector<LocalRing> quiet_;
  Poller poller_{spinning()};
};

TEST_F(ManyRingsTest, TheQuietOnesAreNotLookedAtOnEveryPass) {
  constexpr std::uint64_t kPassCount = 6400;
  const std::uint64_t before = poller_.counters().empty_polls;
  for (std::uint64_t i = 0; i < kPassCount; ++i) {
    publish_busy(1);
    poller_.poll_once(kIgnore);
  }
  // The busy ring is one of the few that stay hot; now and then a quiet one is looked at.
  EXPECT_LE(poller_.counters().empty_polls - before, kPassCount * 4);
  EXPECT_EQ(poller_.counters(0).received, kPassCount);
}

TEST_F(ManyRingsTest, AQuietRingIsSeenWithinOneSweep) {
  for (const unsigned id : {1u, 2u, 499u, 500u, 998u, 999u, 1000u}) {
    EXPECT_LE(passes_until_seen(id, false), kIdlePasses) << "ring " << id;
  }
}

TEST_F(ManyRingsTest, ABusyRingDoesNotStarveTheQuietOnes) {
  for (const unsigned id : {1u, 3u, 501u, 997u, 1000u}) {
    EXPECT_LE(passes_until_seen(id, true), kBusyPasses) << "ring " << id;
  }
}

TEST_F(ManyRingsTest, TheRingThatHadEventsLastIsSeenOnTheNextPass) {
  publish_busy(1);
  poller_.poll_once(kIgnore);
  for (int i = 0; i < 20000; ++i) poller_.poll_once(kIgnore);  // longer than any sweep
  const std::uint64_t before = poller_.counters(0).received;
  publish_busy(1);
  poller_.poll_once(kIgnore);
  EXPECT_EQ(poller_.counters(0).received, before + 1);
}

// Head is what is watched of packed slots: an event may leave every word of its slot as it was.
TEST(ManyRingsPackedTest, AnEventThatChangesNoWordOfItsSlotIsSeen) {
  using Packed = PackedSlot<16>;
  constexpr unsigned kRingCount = 20;
  raise_descriptor_limit();
  PollerOptions options;
  options.strategy = WaitStrategy::kBusySpin;
  BasicPoller<Packed> poller(options);
  std::vector<LocalRing> rings;
  for (unsigned i = 0; i < kRingCount; ++i) {
    rings.push_back(LocalRing::anonymous(
        {.slot_count = 4, .slot = slot_of<Packed>(), .registered_count_max = 1}));
    poller.add(BasicPollSource<Packed>::of(rings.back(), {.doorbell = false}));
  }
  std::uint64_t seen = 0;
  const auto handler = [&](unsigned, std::span<const BasicEvent<Packed>> events) {
    seen += events.size();
  };
  std::uint64_t published = 0;
  for (unsigned lap = 0; lap < 6; ++lap) {
    for (LocalRing& ring : rings) {
      for (int i = 0; i < 1000; ++i) poller.poll_once(handler);  // until all count as quiet
      BasicProducer<Packed>(ring).publish({});
      ++published;
      for (std::uint64_t i = 0; i < kIdlePasses && seen != published; ++i) {
        poller.poll_once(handler);
      }
      ASSERT_EQ(seen, published);
    }
  }
}

TEST(ManyRingsGoneTest, AQuietRingThatIsGoneIsNoticed) {
  const FreshRuntimeDir runtime_dir;
  GoneReason reason = GoneReason::kNot;
  PollerOptions options;
  options.strategy = WaitStrategy::kBusySpin;
  options.on_gone = [&](unsigned, GoneReason why) { reason = why; };
  Poller poller(std::move(options));
  LocalRingOptions named;
  named.name = "many-rings-" + std::to_string(getpid());
  std::optional<LocalRing> ring = LocalRing::named(named);
  poller.add(PollSource::open("local:" + named.name, {.doorbell = false}));
  constexpr unsigned kOthers = 20;
  for (unsigned i = 0; i < kOthers; ++i) {
    poller.add(PollSource::of(tiny_ring(), {.doorbell = false}));
  }
  for (int i = 0; i < 1000; ++i) poller.poll_once(kIgnore);
  EXPECT_EQ(poller.alive_count(), kOthers + 1);
  ring.reset();
  for (int i = 0; i < 64 * static_cast<int>(kOthers + 2) && reason == GoneReason::kNot; ++i) {
    poller.poll_once(kIgnore);
  }
  EXPECT_EQ(reason, GoneReason::kClosed);
  EXPECT_EQ(poller.alive_count(), kOthers);
}

class ManyRingsStressTest : public testing::TestWithParam<WaitStrategy> {};

INSTANTIATE_TEST_SUITE_P(Strategies, ManyRingsStressTest, kEveryStrategy, strategy_name);

/// Sparse events over many rings, published while these grow quiet, arm and wake: each
/// comes, in order, and none needs another to be found.
TEST_P(ManyRingsStressTest, NoEventIsLostWhileRingsGrowQuiet) {
  constexpr unsigned kRingCount = 200;
  constexpr unsigned kRounds = 400;
  constexpr std::uint64_t kSeed = 20261122;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  raise_descriptor_limit();
  PollerOptions options;
  options.strategy = GetParam();
  options.spin = std::chrono::microseconds(20);
  options.arm.max_idle = std::chrono::minutes(10);  // a lost doorbell is not made good
  RunningPoller poller(std::move(options));
  std::vector<LocalRing> rings;
  std::vector<std::unique_ptr<Producer>> producers;
  for (unsigned i = 0; i < kRingCount; ++i) {
    rings.push_back(tiny_ring(64));
    producers.push_back(std::make_unique<Producer>(rings.back()));
    poller->add(PollSource::of(rings.back()));
  }
  poller.start();
  std::mt19937_64 random(kSeed);
  std::map<unsigned, std::uint64_t> sent;
  std::uint64_t total = 0;
  for (unsigned round = 0; round < kRounds; ++round) {
    const unsigned burst = 1 + static_cast<unsigned>(random() % 4);
    for (unsigned i = 0; i < burst; ++i, ++total) {
      const auto ring = static_cast<unsigned>(random() % kRingCount);
      producers[ring]->publish(event_of(sent[ring]++));
    }
    if (random() % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
    ASSERT_TRUE(eventually([&] { return poller->counters().events == total; }))
        << "round " << round << ": " << poller->counters().events << " of " << total;
  }
  poller.stop();
  for (const auto& [ring, count] : sent) {
    ASSERT_EQ(poller.values(ring).size(), count);
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(poller.values(ring)[i], i);
    EXPECT_EQ(poller->counters(ring).lost, 0u);
  }
}

TEST(QuietSetTest, GlancesAtEachMemberInTurn) {
  std::array<std::uint64_t, 10> words{};
  QuietSet set;
  set.reserve(words.size());
  for (unsigned i = 0; i < words.size(); ++i) set.insert(i, &words[i], 0);
  EXPECT_EQ(set.sweep(QuietSet::kGlancesMax).count, 0u);
  words[3] = words[9] = 7;
  std::map<unsigned, unsigned> found;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const QuietSet::Changed changed = set.sweep(QuietSet::kGlancesMax);
    for (std::size_t c = 0; c < changed.count; ++c) ++found[changed.ids[c]];
  }
  EXPECT_EQ(found.size(), 2u);
  EXPECT_EQ(found[3], QuietSet::kGlancesMax);
  EXPECT_EQ(found[9], QuietSet::kGlancesMax);
}

TEST(QuietSetTest, KeepsEachWordWithItsMemberWhenOthersLeave) {
  std::array<std::uint64_t, 3> words{};
  QuietSet set;
  set.reserve(words.size());
  for (unsigned i = 0; i < words.size(); ++i) set.insert(i, &words[i], 0);
  set.erase(0);  // the last one takes its place
  words[0] = 1;
  EXPECT_EQ(set.sweep(QuietSet::kGlancesMax).count, 0u);
  words[2] = 1;
  const QuietSet::Changed changed = set.sweep(QuietSet::kGlancesMax);
  ASSERT_EQ(changed.count, 1u);
  EXPECT_EQ(changed.ids[0], 2u);
  set.renew(2, &words[2], 1);
  EXPECT_EQ(set.sweep(QuietSet::kGlancesMax).count, 0u);
  EXPECT_EQ(set.size(), 2u);
}

TEST(QuietSetTest, AnEmptySetHasNothing) {
  QuietSet set;
  EXPECT_EQ(set.sweep(QuietSet::kGlancesMax).count, 0u);
}

}  // namespace
}  // namespace evring
