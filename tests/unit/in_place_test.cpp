// SPDX-License-Identifier: MIT
// Payloads as `T`s where they lie: filled by a call or in a reservation, visited whole or looked
// at and kept; every slot format and size, across wraps, and beside a producer that laps.
#include <evring/payload.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::payload_word;

/// `kCount` members of one size, each from the sequence.
template <class Word, std::size_t kCount>
struct NumberedFields {
  std::array<Word, kCount> words;

  void fill(std::uint64_t sequence) noexcept {
    for (std::size_t i = 0; i < kCount; ++i) {
      words[i] = static_cast<Word>(payload_word(sequence, i));
    }
  }
  bool is_of(std::uint64_t sequence) const noexcept {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (words[i] != static_cast<Word>(payload_word(sequence, i))) return false;
    }
    return true;
  }
};

struct alignas(16) AlignedFields : NumberedFields<std::uint64_t, 6> {};

template <class SlotType, class PayloadType>
struct InPlaceShape {
  using Layout = SlotType;
  using Payload = PayloadType;
};

template <class ShapeType>
class InPlaceTest : public ::testing::Test {
 protected:
  using Layout = typename ShapeType::Layout;
  using Payload = typename ShapeType::Payload;

  /// 16 slots, whose sequences wrap on the way; gated, with one consumer.
  LocalRing ring_ = LocalRing::anonymous({.slot_count = 16,
                                          .slot = slot_of<Layout>(),
                                          .mode = Mode::kGated,
                                          .first_sequence = ~std::uint64_t{0} - 20});
  BasicGatedConsumer<Layout> consumer_{ring_.mapping(), ring_.register_consumer(StartAt::kOldest)};
  BasicProducer<Layout> producer_{ring_};
  std::uint64_t next_ = consumer_.cursor();

  void expect_next(std::size_t count) {
    const std::uint64_t first = next_;
    const Burst burst = consumer_.template visit_payloads<Payload>(
        16, [&](const Payload& payload) { EXPECT_TRUE(payload.is_of(next_++)) << next_; });
    EXPECT_EQ(burst.count, count);
    EXPECT_EQ(next_, first + count);
    consumer_.commit();
  }
};

using InPlaceShapes = ::testing::Types<
    InPlaceShape<BareSlot64, NumberedFields<std::uint64_t, 7>>,
    InPlaceShape<BareSlot64, NumberedFields<std::uint32_t, 4>>,
    InPlaceShape<BareSlot64, NumberedFields<unsigned char, 13>>,
    InPlaceShape<BareSlot32, NumberedFields<std::uint16_t, 12>>,
    InPlaceShape<DefaultSlot, NumberedFields<std::uint64_t, 5>>,
    InPlaceShape<DefaultSlot, NumberedFields<unsigned char, 1>>,
    InPlaceShape<SlotLayout<SlotFormat::kTimestamp, 64>, AlignedFields>,
    InPlaceShape<SlotLayout<SlotFormat::kBare, 128>, NumberedFields<std::uint64_t, 15>>,
    InPlaceShape<SlotLayout<SlotFormat::kFull, 1024>, NumberedFields<std::uint64_t, 62>>,
    InPlaceShape<PackedSlot<8>, NumberedFields<std::uint32_t, 2>>,
    InPlaceShape<PackedSlot<16>, NumberedFields<std::uint64_t, 2>>,
    InPlaceShape<PackedSlot<16>, NumberedFields<unsigned char, 13>>,
    InPlaceShape<PackedSlot<64>, AlignedFields>,
    InPlaceShape<PackedSlot<64>, NumberedFields<std::uint64_t, 8>>>;
TYPED_TEST_SUITE(InPlaceTest, InPlaceShapes);

TYPED_TEST(InPlaceTest, WhatIsFilledByACallIsVisited) {
  using Filled = typename TypeParam::Payload;
  for (std::size_t round = 0; round < 12; ++round) {
    const std::size_t count = 1 + round % 7;
    ASSERT_EQ(this->producer_.template publish_in_place<Filled>(
                  count, [](Filled& payload, std::uint64_t of) { payload.fill(of); }),
              count);
    this->expect_next(count);
  }
  EXPECT_EQ(this->consumer_.lost(), 0u);
}

TYPED_TEST(InPlaceTest, WhatIsFilledInAReservationIsVisited) {
  using Filled = typename TypeParam::Payload;
  for (std::size_t round = 0; round < 12; ++round) {
    auto slots = this->producer_.reserve(1 + round % 7);
    std::uint64_t sequence = slots.sequence(0);
    for (Filled& payload : slots.template payloads<Filled>()) payload.fill(sequence++);
    const std::uint64_t count = slots.count();
    slots.commit();
    EXPECT_EQ(slots.template payloads<Filled>().size(), 0u) << "they are the readers' now";
    this->expect_next(count);
  }
}

TEST(InPlaceFieldsTest, AForkedChildsCopyHasNoPayloadToFill) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  auto slots = producer.reserve(2);
  EXPECT_EQ(slots.payloads<std::uint64_t>().size(), 2u);
  EXPECT_EQ(testing::run_child([&] { return slots.payloads<std::uint64_t>().size() == 0; }), 0);
  slots.commit();
  EXPECT_EQ(producer.published(), 2u);
}

TEST(InPlaceFieldsTest, AFullSlotSaysTheLengthOfItsPayload) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  producer.publish_in_place<std::array<char, 3>>(1, [](auto& text, std::uint64_t) { text = {}; });
  Event event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_EQ(event.length_bytes, 3u);
  EXPECT_EQ(event.type, 0u);
  EXPECT_GT(event.timestamp_ns, 0u);
}

TEST(InPlaceFieldsTest, FillIsAskedForNothingThatIsRefused) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 4, .mode = Mode::kGated});
  const Registration registration = ring.register_consumer(StartAt::kOldest);
  Producer producer(ring, WhenFull::kRefuse);
  unsigned calls = 0;
  const auto fill = [&calls](std::uint64_t&, std::uint64_t) { ++calls; };
  EXPECT_EQ(producer.publish_in_place<std::uint64_t>(6, fill), 4u);
  EXPECT_EQ(calls, 4u);
  EXPECT_EQ(producer.dropped(), 2u);
}

TEST(InPlaceFieldsTest, WhatIsNotSetIsOfTheLapBefore) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 2});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  using Pair = std::array<std::uint64_t, 2>;
  for (std::uint64_t lap = 0; lap < 3; ++lap) {
    producer.publish_in_place<Pair>(2, [lap](Pair& pair, std::uint64_t of) {
      if (lap == 0) pair[1] = 100 + of;
      pair[0] = of;
    });
    std::uint64_t expected = 2 * lap;
    consumer.visit_payloads<Pair>(2, [&](const Pair& pair) {
      EXPECT_EQ(pair[0], expected);
      EXPECT_EQ(pair[1], 100 + expected++ % 2);
    });
  }
}

using SevenWords = NumberedFields<std::uint64_t, 7>;

/// Looks at and keeps payloads of `Filled` beside a producer that laps.
template <class Layout, class Filled>
void expect_whole_what_is_kept() {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8, .slot = slot_of<Layout>()});
  std::atomic<bool> has_ended{false};
  BasicConsumer<Layout> consumer(ring.mapping());
  std::jthread publisher([&] {
    BasicProducer<Layout> producer(ring);
    for (unsigned round = 0; round < 40'000; ++round) {
      producer.template publish_in_place<Filled>(
          1 + round % 5, [](Filled& words, std::uint64_t of) { words.fill(of); });
    }
    has_ended = true;
  });
  std::uint64_t kept = 0;
  for (bool last = false; !last;) {
    last = has_ended;
    const Burst burst = consumer.template visit_payloads<Filled>(
        4, [](const Filled& words) { return words; },
        [&, sequence = consumer.cursor()](const Filled& words) mutable {
          ASSERT_TRUE(words.is_of(sequence)) << sequence;
          ++sequence;
          ++kept;
        });
    if (burst.status == ReadStatus::kOverrun) consumer.resync();
    if (burst.status != ReadStatus::kEmpty) last = false;
  }
  EXPECT_EQ(kept, consumer.received());
  EXPECT_TRUE(consumer.balance().balanced());
  EXPECT_GT(kept, 0u);
}

TEST(InPlaceOverwriteTest, WhatIsKeptIsWholeBesideAProducerThatLaps) {
  expect_whole_what_is_kept<BareSlot64, SevenWords>();
}
TEST(InPlaceOverwriteTest, WhatIsKeptOfPackedSlotsIsWholeToo) {
  expect_whole_what_is_kept<PackedSlot<64>, NumberedFields<std::uint64_t, 8>>();
  expect_whole_what_is_kept<PackedSlot<16>, NumberedFields<std::uint64_t, 2>>();
}

TEST(InPlaceOverwriteTest, ABurstWhoseOldestWasOverwrittenIsDiscarded) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4, .slot = slot_of<BareSlot64>()});
  BasicProducer<BareSlot64> producer(ring);
  BasicConsumer<BareSlot64> consumer(ring.mapping());
  const auto fill = [](SevenWords& words, std::uint64_t of) { words.fill(of); };
  producer.publish_in_place<SevenWords>(4, fill);
  unsigned seen = 0;
  const Burst burst = consumer.visit_payloads<SevenWords>(4, [&](const SevenWords&) {
    if (++seen == 4) producer.publish_in_place<SevenWords>(1, fill);  // laps event 0 alone
  });
  EXPECT_EQ(burst.status, ReadStatus::kOverrun);
  EXPECT_EQ(consumer.received(), 0u);
  EXPECT_EQ(consumer.resync(), 1u);
}

#if defined(EVRING_TEST_ADDRESSES)
TEST(InPlaceDeathTest, AReferenceThatIsKeptIsReported) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4, .slot = slot_of<BareSlot64>()});
  BasicProducer<BareSlot64> producer(ring);
  BasicConsumer<BareSlot64> consumer(ring.mapping());
  auto slots = producer.reserve(1);
  const auto filled = slots.payloads<SevenWords>();
  filled[0].fill(0);
  slots.commit();
  EXPECT_DEATH(filled[0].fill(1), "heap-use-after-free") << "past its commit";
  const SevenWords* kept = nullptr;
  consumer.visit_payloads<SevenWords>(1, [&kept](const SevenWords& words) { kept = &words; });
  EXPECT_DEATH(std::printf("%d", kept->is_of(0)), "heap-use-after-free") << "past its visit";
}
#endif

}  // namespace
}  // namespace evring
