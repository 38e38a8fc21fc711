// SPDX-License-Identifier: MIT
// Every slot format in every size, and sequences that wrap: at 2^32, near 2^63,
// where the stamp itself wraps, and near 2^64.
#include <tuple>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::fill;
using testing::is_whole;

template <class Layout>
class SlotTest : public ::testing::Test {};

template <std::uint32_t kSlotBytes>
using Bare = SlotLayout<SlotFormat::kBare, kSlotBytes>;
template <std::uint32_t kSlotBytes>
using Timestamp = SlotLayout<SlotFormat::kTimestamp, kSlotBytes>;
template <std::uint32_t kSlotBytes>
using Full = SlotLayout<SlotFormat::kFull, kSlotBytes>;

template <std::uint32_t kSlotBytes>
using Packed = PackedSlot<kSlotBytes>;

using Layouts =
    ::testing::Types<Bare<32>, Bare<64>, Bare<128>, Bare<256>, Bare<512>, Bare<1024>, Bare<2048>,
                     Bare<4096>, Timestamp<32>, Timestamp<64>, Timestamp<128>, Timestamp<256>,
                     Timestamp<512>, Timestamp<1024>, Timestamp<2048>, Timestamp<4096>, Full<32>,
                     Full<64>, Full<128>, Full<256>, Full<512>, Full<1024>, Full<2048>, Full<4096>,
                     Packed<8>, Packed<16>, Packed<32>, Packed<64>, Packed<128>, Packed<256>,
                     Packed<4096>>;
TYPED_TEST_SUITE(SlotTest, Layouts);

TYPED_TEST(SlotTest, CarriesEveryPayloadWord) {
  using Layout = TypeParam;
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4, .slot = slot_of<Layout>()});
  BasicProducer<Layout> producer(ring);
  BasicConsumer<Layout> consumer(ring.mapping());
  AnyConsumer any(ring.mapping());
  BasicEvent<Layout> event;
  AnyEvent any_event;
  for (std::uint64_t seq = 0; seq < 9; ++seq) {
    fill(event, seq, Layout::payload_bytes());
    producer.publish(event);
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_EQ(event.sequence, seq);
    EXPECT_EQ(event.bytes().size(), Layout::payload_bytes());
    EXPECT_TRUE(is_whole(event, Layout::payload_bytes()));
    ASSERT_EQ(any.try_read(any_event), ReadStatus::kEvent);
    EXPECT_TRUE(is_whole(any_event, Layout::payload_bytes()));
    EXPECT_EQ(any_event.length_bytes, Layout::payload_bytes());
    EXPECT_EQ(any_event.timestamp_ns != 0, has_timestamp(Layout::format()));
    EXPECT_EQ(any_event.type, Layout::format() == SlotFormat::kFull ? seq : 0);
  }
}

TYPED_TEST(SlotTest, IsWrittenByAProducerOfAnyLayout) {
  using Layout = TypeParam;
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4, .slot = slot_of<Layout>()});
  AnyProducer producer(ring);
  BasicConsumer<Layout> consumer(ring.mapping());
  AnyEvent any_event;
  fill(any_event, 0, Layout::payload_bytes());
  producer.publish(any_event);
  BasicEvent<Layout> event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_TRUE(is_whole(event, Layout::payload_bytes()));
}

class WrapTest : public ::testing::TestWithParam<std::tuple<std::uint64_t, std::uint64_t>> {};

template <class Layout>
void expect_order_loss_and_balance(std::uint64_t first) {
  using Reader = BasicConsumer<Layout>;
  const LocalRing ring =
      LocalRing::anonymous({.slot_count = 8, .slot = slot_of<Layout>(), .first_sequence = first});
  BasicProducer<Layout> producer(ring);
  Reader steady(ring.mapping());
  Reader lapped(ring.mapping());
  for (int i = 0; i < 40; ++i) {
    testing::publish_numbered(producer, 1);
    const auto drained = testing::drain(steady);
    EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
  }
  EXPECT_EQ(steady.received(), 40u);
  EXPECT_EQ(steady.lost(), 0u);
  EXPECT_EQ(steady.cursor(), first + 40);
  testing::drain(lapped);
  EXPECT_EQ(lapped.received(), 8u);
  EXPECT_EQ(lapped.lost(), 32u);
  EXPECT_EQ(producer.published(), 40u);
  EXPECT_EQ(Reader(ring.mapping(), StartAt::kOldest).cursor(), first + 32);
  EXPECT_EQ(Reader(ring.mapping(), StartAt::kSequence, first + 35).cursor(), first + 35);
}

TEST_P(WrapTest, KeepsOrderLossAndBalance) {
  const auto [edge, before] = GetParam();
  expect_order_loss_and_balance<DefaultSlot>(edge - before);
  expect_order_loss_and_balance<PackedSlot<16>>(edge - before);
}

template <class Layout>
void expect_gate(std::uint64_t first) {
  LocalRing ring = LocalRing::anonymous(
      {.slot_count = 8, .slot = slot_of<Layout>(), .mode = Mode::kGated, .first_sequence = first});
  BasicProducer<Layout> producer(ring, WhenFull::kRefuse);
  BasicGatedConsumer<Layout> consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest));
  for (int i = 0; i < 10; ++i) {
    testing::publish_numbered(producer, 10);  // two too many
    testing::drain(consumer);
  }
  EXPECT_EQ(consumer.received(), 80u);
  EXPECT_EQ(consumer.lost(), 0u);
  EXPECT_EQ(producer.dropped(), 20u);
}

TEST_P(WrapTest, KeepsTheGate) {
  const auto [edge, before] = GetParam();
  expect_gate<DefaultSlot>(edge - before);
  expect_gate<PackedSlot<16>>(edge - before);
}

INSTANTIATE_TEST_SUITE_P(Edges, WrapTest,
                         ::testing::Combine(::testing::Values(std::uint64_t{1} << 32,
                                                              std::uint64_t{1} << 63,
                                                              std::uint64_t{0}),
                                            ::testing::Values(0, 1, 5, 8, 20, 39)));

}  // namespace
}  // namespace evring
