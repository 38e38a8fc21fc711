// SPDX-License-Identifier: MIT
// Which way a reader learns what is published: by stamps, or by head after a full burst.
// A batch that is half written shows it: its stamps say more than head does.
#include <evring/consumer.hpp>
#include <evring/group.hpp>
#include <evring/group_member.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::event_numbered;
using Counts = std::vector<std::size_t>;

/// Calls `look` after each event of a batch, before head says that it is there.
struct LookWhenReady {
  static inline std::function<void()> look;
  void operator()(PublishStep step) const {
    if (step == PublishStep::kReadyStored && look) look();
  }
};

class DrainTest : public ::testing::Test {
 protected:
  ~DrainTest() override { LookWhenReady::look = nullptr; }

  void publish(std::size_t count) {
    std::vector<Event> events;
    for (std::size_t i = 0; i < count; ++i) {
      events.push_back(event_numbered(producer_.next_sequence() + i));
    }
    ASSERT_EQ(producer_.publish_batch(events), count);
  }

  /// What `reader` gets after each event of a batch of `count`.
  template <class Reader>
  Counts looks_into_batch(Reader& reader, std::size_t count) {
    Counts counts;
    LookWhenReady::look = [&] { counts.push_back(reader.read_burst(out_).count); };
    publish(count);
    LookWhenReady::look = nullptr;
    return counts;
  }

  /// Stamps first, head after a full burst.
  template <class Reader>
  void drain(Reader& reader) {
    EXPECT_EQ(looks_into_batch(reader, 4), (Counts{1, 1, 1, 1}));
    publish(15);  // not a full burst
    EXPECT_EQ(reader.read_burst(out_).count, 15u);
    EXPECT_EQ(looks_into_batch(reader, 2), (Counts{1, 1}));
    publish(16);
    EXPECT_EQ(reader.read_burst(out_).count, 16u);
    EXPECT_EQ(looks_into_batch(reader, 4), (Counts{0, 0, 0, 0}));
  }

  /// Stamps again, and nothing lost on the way.
  template <class Reader>
  void expect_stamps(Reader& reader) {
    EXPECT_EQ(looks_into_batch(reader, 2), (Counts{1, 1}));
    EXPECT_EQ(reader.received(), producer_.published());
    EXPECT_EQ(reader.lost(), 0u);
  }

  template <class Reader>
  void expect_both_ways(Reader& reader) {
    drain(reader);
    EXPECT_EQ(reader.read_burst(out_).count, 4u);
    for (int i = 0; i < 64; ++i) EXPECT_EQ(reader.read_burst(out_).count, 0u);
    expect_stamps(reader);
    drain(reader);
    EXPECT_EQ(reader.read_burst(out_).count, 4u);
    for (int i = 0; i < 6; ++i) {
      publish(1);
      EXPECT_EQ(reader.read_burst(out_).count, 1u);
    }
    expect_stamps(reader);
    publish(16);  // it had not been worth it: two full bursts begin it now
    EXPECT_EQ(reader.read_burst(out_).count, 16u);
    expect_stamps(reader);
    publish(16);
    EXPECT_EQ(reader.read_burst(out_).count, 16u);
    EXPECT_EQ(looks_into_batch(reader, 2), (Counts{0, 0}));
  }

  LocalRing ring_ = LocalRing::anonymous({.slot_count = 64});
  BasicProducer<DefaultSlot, LookWhenReady> producer_{ring_};
  std::vector<Event> out_ = std::vector<Event>(16);
};

TEST_F(DrainTest, ConsumerDrainsToHeadAfterAFullBurst) {
  Consumer consumer(ring_.mapping());
  expect_both_ways(consumer);
}

TEST_F(DrainTest, MemberDrainsToHeadAfterAFullBurst) {
  GroupMember<DefaultSlot> member(Group::create(ring_, StartAt::kNewest));
  expect_both_ways(member);
}

TEST_F(DrainTest, OneEventAtATimeIsReadByItsStamp) {
  Consumer consumer(ring_.mapping());
  publish(16);
  EXPECT_EQ(consumer.read_burst(out_).count, 16u);
  Event event;
  std::vector<ReadStatus> seen;
  LookWhenReady::look = [&] { seen.push_back(consumer.try_read(event)); };
  publish(2);
  EXPECT_EQ(seen, (std::vector<ReadStatus>{ReadStatus::kEvent, ReadStatus::kEvent}));
}

TEST_F(DrainTest, WhoDrainsIsToldOfAnOverrun) {
  Consumer consumer(ring_.mapping());
  publish(16);
  EXPECT_EQ(consumer.read_burst(out_).count, 16u);
  for (int i = 0; i < 12; ++i) publish(16);
  EXPECT_EQ(consumer.read_burst(out_).status, ReadStatus::kOverrun);
  const std::uint64_t lost = consumer.resync();
  EXPECT_EQ(consumer.read_burst(out_).count, out_.size());
  EXPECT_EQ(out_.front().sequence, 16 + lost);
  EXPECT_TRUE(consumer.balance().balanced());
}

}  // namespace
}  // namespace evring
