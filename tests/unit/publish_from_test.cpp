// SPDX-License-Identifier: MIT
// Payloads that go from a function straight to their slots: every slot format and size
// of value, across wraps, and what a gate refuses.
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::payload_word;

/// `kBytes` bytes of event `sequence`; the last word may be cut.
template <std::size_t kBytes>
struct Value {
  std::array<unsigned char, kBytes> bytes;

  static Value of(std::uint64_t sequence) noexcept {
    Value value;
    for (std::size_t at = 0; at < kBytes; at += 8) {
      const std::uint64_t word = payload_word(sequence, at / 8);
      std::memcpy(value.bytes.data() + at, &word, std::min<std::size_t>(8, kBytes - at));
    }
    return value;
  }
};

template <class SlotType, std::size_t kValueBytes>
struct Shape {
  using Layout = SlotType;
  static constexpr std::size_t kBytes = kValueBytes;
};

template <class ShapeType>
class PublishFromTest : public ::testing::Test {};

using Shapes = ::testing::Types<
    Shape<BareSlot64, 56>, Shape<BareSlot64, 16>, Shape<BareSlot64, 1>, Shape<BareSlot64, 55>,
    Shape<BareSlot32, 24>, Shape<BareSlot32, 16>, Shape<BareSlot32, 8>, Shape<DefaultSlot, 40>,
    Shape<DefaultSlot, 13>, Shape<SlotLayout<SlotFormat::kTimestamp, 64>, 48>,
    Shape<SlotLayout<SlotFormat::kTimestamp, 32>, 3>,
    Shape<SlotLayout<SlotFormat::kBare, 128>, 120>, Shape<SlotLayout<SlotFormat::kFull, 256>, 232>,
    Shape<SlotLayout<SlotFormat::kFull, 256>, 9>, Shape<SlotLayout<SlotFormat::kBare, 4096>, 4088>,
    Shape<PackedSlot<8>, 8>, Shape<PackedSlot<8>, 5>, Shape<PackedSlot<16>, 16>,
    Shape<PackedSlot<32>, 24>, Shape<PackedSlot<64>, 64>, Shape<PackedSlot<64>, 9>,
    Shape<PackedSlot<128>, 128>>;
TYPED_TEST_SUITE(PublishFromTest, Shapes);

TYPED_TEST(PublishFromTest, GivesEveryConsumerWhatTheSourceReturned) {
  using Layout = typename TypeParam::Layout;
  using Payload = Value<TypeParam::kBytes>;
  const std::uint64_t first = ~std::uint64_t{0} - 20;  // wraps on the way
  const LocalRing ring =
      LocalRing::anonymous({.slot_count = 16, .slot = slot_of<Layout>(), .first_sequence = first});
  BasicProducer<Layout> producer(ring);
  BasicConsumer<Layout> consumer(ring.mapping());
  std::vector<BasicEvent<Layout>> events(16);
  for (std::uint64_t sequence = first, round = 0; round < 12; ++round) {
    const std::size_t count = 1 + round % 7;
    ASSERT_EQ(
        producer.publish_from(count, [](std::uint64_t of) noexcept { return Payload::of(of); }),
        count);
    const Burst burst = consumer.read_burst(events);
    ASSERT_EQ(burst.count, count);
    for (std::size_t i = 0; i < count; ++i, ++sequence) {
      ASSERT_EQ(events[i].sequence, sequence);
      const Payload expected = Payload::of(sequence);
      ASSERT_EQ(std::memcmp(events[i].payload.data(), &expected, sizeof(expected)), 0) << sequence;
      if constexpr (requires { events[i].type; }) {
        EXPECT_EQ(events[i].type, 0u);
        const bool says_length = Layout::format() == SlotFormat::kFull;
        EXPECT_EQ(events[i].length_bytes, says_length ? sizeof(Payload) : Layout::payload_bytes());
        EXPECT_GT(events[i].timestamp_ns, 0u);
      }
    }
  }
  EXPECT_EQ(consumer.lost(), 0u);
}

TEST(PublishFromGatedTest, AsksTheSourceForNothingThatIsRefused) {
  LocalRing ring =
      LocalRing::anonymous({.slot_count = 8, .slot = slot_of<BareSlot64>(), .mode = Mode::kGated});
  Registration registration = ring.register_consumer();
  BasicProducer<BareSlot64> producer(ring, WhenFull::kRefuse);
  std::vector<std::uint64_t> asked;
  const auto source = [&asked](std::uint64_t sequence) noexcept {
    asked.push_back(sequence);
    return sequence;
  };
  EXPECT_EQ(producer.publish_from(5, source), 5u);
  EXPECT_EQ(producer.publish_from(5, source), 3u);
  EXPECT_EQ(producer.publish_from(1, source), 0u);
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(producer.dropped(), 3u);
  EXPECT_EQ(producer.offered(), 11u);
}

TEST(PublishFromSourceTest, TakesWhatCanOnlyBeMovedAndATypeThatHidesItsAddress) {
  struct Hidden {
    std::uint64_t word;
    Hidden* operator&() noexcept { return nullptr; }
    const Hidden* operator&() const noexcept { return nullptr; }
  };
  LocalRing ring = LocalRing::anonymous({.slot_count = 8, .slot = slot_of<BareSlot64>()});
  BasicProducer<BareSlot64> producer(ring);
  auto owned = std::make_unique<std::uint64_t>(7);
  auto source = [owned = std::move(owned)](std::uint64_t sequence) noexcept {
    return Hidden{*owned + sequence};
  };
  EXPECT_EQ(producer.publish_from(2, std::move(source)), 2u);
  BasicConsumer<BareSlot64> consumer(ring.mapping(), StartAt::kOldest);
  for (const std::uint64_t expected : {7u, 8u}) {
    BasicEvent<BareSlot64> event;
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_EQ(event.get<std::uint64_t>(), expected);
  }
}

}  // namespace
}  // namespace evring
