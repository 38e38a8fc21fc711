// SPDX-License-Identifier: MIT
// Slots without a stamp: head alone says what is published, for whichever way of reading, and the
// write limit what is whole. Loss is exact, and what was not published is never seen.
#include <evring/group.hpp>
#include <evring/group_member.hpp>

#include <functional>
#include <memory>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::drain;
using testing::is_whole;
using testing::numbered;
using testing::publish_numbered;

static_assert(EVRING_PAYLOAD_OFFSET(EVRING_SLOT_PACKED) == 0);

/// Calls `look` after each event of a batch, before head says that it is there.
struct LookBeforeHead {
  static inline std::function<void()> look;
  void operator()(PublishStep step) const {
    if (step == PublishStep::kReadyStored && look) look();
  }
};

template <class Layout>
class PackedTest : public ::testing::Test {
 protected:
  using EventType = BasicEvent<Layout>;
  static constexpr std::uint64_t kSlotCount = 8;
  ~PackedTest() override { LookBeforeHead::look = nullptr; }

  /// Reads in each way in turn.
  static ReadStatus read(BasicConsumer<Layout>& consumer, int way, std::size_t count) {
    std::vector<EventType> out(count);
    const auto glance = [](const SlotView<Layout>& view) noexcept { return view.word(0); };
    switch (way) {
      case 0:
        return consumer.try_read(out[0]);
      case 1:
        return consumer.read_burst(out).status;
      case 2:
        return consumer.visit(glance);
      case 3:
        return consumer.visit_burst(count, glance, [](std::uint64_t) {}).status;
      default:
        return consumer.visit_burst(count, [&](const auto& view) { glance(view); }).status;
    }
  }
  static constexpr int kWays = 5;

  LocalRing ring_ = LocalRing::anonymous({.slot_count = kSlotCount, .slot = slot_of<Layout>()});
};

using PackedLayouts = ::testing::Types<PackedSlot<8>, PackedSlot<16>, PackedSlot<64>>;
TYPED_TEST_SUITE(PackedTest, PackedLayouts);

TYPED_TEST(PackedTest, ShowsNothingThatHeadDoesNotSay) {
  BasicProducer<TypeParam, LookBeforeHead> producer(this->ring_);
  for (int way = 0; way < this->kWays; ++way) {
    BasicConsumer<TypeParam> consumer(this->ring_.mapping(), StartAt::kNewest);
    AnyConsumer any(this->ring_.mapping(), StartAt::kNewest);
    std::vector<BasicEvent<TypeParam>> events(4);
    int looks = 0;
    LookBeforeHead::look = [&] {
      ++looks;
      EXPECT_EQ(this->read(consumer, way, 4), ReadStatus::kEmpty) << way;
      EXPECT_FALSE(consumer.has_work());
      EXPECT_FALSE(any.has_work());
      AnyEvent event;
      EXPECT_EQ(any.try_read(event), ReadStatus::kEmpty);
    };
    producer.publish_batch(events);
    EXPECT_EQ(looks, 4);
    LookBeforeHead::look = nullptr;
    EXPECT_TRUE(consumer.has_work());
    EXPECT_TRUE(any.has_work());
    EXPECT_EQ(this->read(consumer, way, 4), ReadStatus::kEvent) << way;
  }
}

TYPED_TEST(PackedTest, EveryWayOfReadingIsToldOfAnOverrunAndLosesExactly) {
  for (int way = 0; way < this->kWays; ++way) {
    for (std::uint64_t count = 1; count <= 3 * this->kSlotCount; ++count) {
      BasicProducer<TypeParam> producer(this->ring_);
      BasicConsumer<TypeParam> consumer(this->ring_.mapping(), StartAt::kNewest);
      publish_numbered(producer, count);
      const bool is_lapped = count > this->kSlotCount;
      ASSERT_EQ(this->read(consumer, way, 3), is_lapped ? ReadStatus::kOverrun : ReadStatus::kEvent)
          << count;
      EXPECT_EQ(consumer.resync(), is_lapped ? count - this->kSlotCount : 0) << count;
      const auto drained = drain(consumer);
      EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
      EXPECT_EQ(consumer.cursor(), producer.next_sequence());
      EXPECT_TRUE(consumer.balance().balanced());
    }
  }
}

// It had seen head before the producer went on: the limit alone can tell.
TYPED_TEST(PackedTest, WhoStoppedBehindHeadAsItWasSeenIsToldToo) {
  for (int way = 0; way < this->kWays; ++way) {
    BasicProducer<TypeParam> producer(this->ring_);
    BasicConsumer<TypeParam> consumer(this->ring_.mapping(), StartAt::kNewest);
    publish_numbered(producer, 6);
    BasicEvent<TypeParam> event;
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    publish_numbered(producer, 5);
    EXPECT_EQ(this->read(consumer, way, 3), ReadStatus::kOverrun) << way;
    EXPECT_EQ(consumer.resync(), 2u);
    EXPECT_EQ(drain(consumer).torn, 0u);
    EXPECT_EQ(drain(consumer).torn, 0u);
    EXPECT_EQ(consumer.received(), 9u);
    EXPECT_EQ(consumer.lost(), 2u);
  }
}

TYPED_TEST(PackedTest, AReservationIsPublishedAsAWhole) {
  BasicProducer<TypeParam, LookBeforeHead> producer(this->ring_);
  BasicConsumer<TypeParam> consumer(this->ring_.mapping());
  {
    auto abandoned = producer.reserve(3);
    EXPECT_TRUE(abandoned.set_word(0, 0, 1));
    EXPECT_FALSE(abandoned.set_word(0, TypeParam::payload_bytes() / 8, 1)) << "the next slot";
  }
  auto slots = producer.reserve(3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    for (std::size_t word = 0; word < TypeParam::payload_bytes() / 8; ++word) {
      EXPECT_TRUE(slots.set_word(i, word, testing::payload_word(slots.sequence(i), word)));
    }
  }
  LookBeforeHead::look = [&] { EXPECT_FALSE(consumer.has_work()); };
  slots.commit();
  LookBeforeHead::look = nullptr;
  const auto drained = drain(consumer);
  EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
  EXPECT_EQ(consumer.received(), 3u);
  EXPECT_EQ(producer.published(), 3u);
}

TYPED_TEST(PackedTest, AGroupSharesThemAndCountsWhatIsLostOnce) {
  BasicProducer<TypeParam, LookBeforeHead> producer(this->ring_);
  const Group group = Group::create(this->ring_, StartAt::kNewest);
  GroupMember<TypeParam> one(group);
  GroupMember<TypeParam> other(group);
  BasicEvent<TypeParam> event;
  LookBeforeHead::look = [&] { EXPECT_EQ(one.try_read(event), ReadStatus::kEmpty); };
  publish_numbered(producer, 1);
  LookBeforeHead::look = nullptr;
  publish_numbered(producer, 5);
  for (std::uint64_t sequence = 0; sequence < 6; ++sequence) {
    ASSERT_EQ((sequence % 2 == 0 ? one : other).try_read(event), ReadStatus::kEvent);
    EXPECT_EQ(event.sequence, sequence);
    EXPECT_TRUE(is_whole(event, TypeParam::payload_bytes()));
  }
  EXPECT_EQ(one.try_read(event), ReadStatus::kEmpty);
  publish_numbered(producer, 2 * this->kSlotCount);
  std::vector<BasicEvent<TypeParam>> out(3);
  for (Burst burst = one.read_burst(out); burst.status != ReadStatus::kEmpty;
       burst = one.read_burst(out)) {
    for (std::size_t i = 0; i < burst.count; ++i) {
      EXPECT_TRUE(is_whole(out[i], TypeParam::payload_bytes()));
    }
  }
  EXPECT_EQ(one.received() + other.received(), 6 + this->kSlotCount);
  EXPECT_EQ(one.lost(), this->kSlotCount);
  EXPECT_EQ(other.try_read(event), ReadStatus::kEmpty);
}

TYPED_TEST(PackedTest, WhatADeadMemberHeldIsReadAgainAndNothingPastHead) {
  BasicProducer<TypeParam> producer(this->ring_);
  const Group group = Group::create(this->ring_, StartAt::kNewest);
  publish_numbered(producer, 4);
  std::vector<BasicEvent<TypeParam>> out(8);
  testing::run_child([&] {
    GroupMember<TypeParam> member(group);
    member.read_burst(std::span(out).first(3));
    ::_exit(0);
    return true;
  });
  auto recovery = GroupRecovery<TypeParam>::begin(group);
  ASSERT_TRUE(recovery.has_value());
  EXPECT_EQ(recovery->read_burst(out).count, 3u);
  EXPECT_EQ(out[2].sequence, 2u);
  EXPECT_TRUE(is_whole(out[2], TypeParam::payload_bytes()));
  EXPECT_EQ(recovery->read_burst(out).status, ReadStatus::kEmpty);
  recovery.reset();

  evring_group_page& page = group.page();
  store_relaxed(group_word(page.member[5].entry[0].from), 3);
  store_relaxed(group_word(page.member[5].entry[0].to), 7);
  store_relaxed(group_word(page.confirmed[5]), 7);
  fetch_or(group_word(page.joined), 1ULL << 5);
  auto hostile = GroupRecovery<TypeParam>::begin(group);
  ASSERT_TRUE(hostile.has_value());
  EXPECT_EQ(hostile->from(), hostile->to()) << "head is 4";
}

TYPED_TEST(PackedTest, AChildTakesOverWhatItsParentPublished) {
  BasicConsumer<TypeParam> consumer(this->ring_.mapping());
  {
    BasicProducer<TypeParam> producer(this->ring_);
    publish_numbered(producer, 3);
    EXPECT_EQ(testing::run_child([&] {
                return producer.publish(numbered<BasicEvent<TypeParam>>(3)) ==
                       PublishStatus::kDropped;
              }),
              0)
        << "a copy is inert";
  }
  EXPECT_EQ(testing::run_child([&] {
              BasicProducer<TypeParam> producer(this->ring_);
              publish_numbered(producer, 3);
              return producer.published() == 6 && producer.repaired() == 0;
            }),
            0);
  const auto drained = drain(consumer);
  EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
  EXPECT_EQ(consumer.received(), 6u);
}

TYPED_TEST(PackedTest, TheEndOfTheRingIsSaidBehindTheLastEvent) {
  auto ring = std::make_unique<LocalRing>(this->ring_);
  BasicConsumer<TypeParam> consumer(ring->mapping());
  BasicEvent<TypeParam> event;
  {
    BasicProducer<TypeParam> producer(*ring);
    for (int i = 0; i < 200; ++i) ASSERT_EQ(consumer.try_read(event), ReadStatus::kEmpty);
    publish_numbered(producer, 2);
  }
  ring.reset();
  this->ring_ = LocalRing::anonymous({.slot_count = 2});
  for (int i = 0; i < 2; ++i) ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  ReadStatus last = ReadStatus::kEmpty;
  for (int i = 0; i < 64 && last == ReadStatus::kEmpty; ++i) last = consumer.try_read(event);
  EXPECT_EQ(last, ReadStatus::kGone);
}

}  // namespace
}  // namespace evring
