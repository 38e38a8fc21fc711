// SPDX-License-Identifier: MIT
// What stands in a slot is what was put there: no bytes of a stack, no tail of the event
// that lay there a lap ago.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <new>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using Slot256 = SlotLayout<SlotFormat::kBare, 256>;
using Timed64 = SlotLayout<SlotFormat::kTimestamp, 64>;

struct Small {
  std::uint32_t number = 7;
  std::uint16_t half = 9;
};

template <class T>
std::size_t nonzero_bytes_behind(const T& bytes, std::size_t used) {
  std::size_t count = 0;
  for (std::size_t i = used; i < bytes.size(); ++i) count += bytes[i] != std::byte{0} ? 1 : 0;
  return count;
}

/// Leaves bytes on the stack for whoever is called next.
[[gnu::noinline]] void soil_the_stack() {
  std::array<unsigned char, 16384> soil;
  std::memset(soil.data(), 0xaa, soil.size());
  __asm__ volatile("" ::"r"(soil.data()) : "memory");
}

template <class Layout>
class PayloadTest : public ::testing::Test {};
using Layouts = ::testing::Types<DefaultSlot, BareSlot64, BareSlot32, Timed64, Slot256>;
TYPED_TEST_SUITE(PayloadTest, Layouts);

TYPED_TEST(PayloadTest, SetPublishesNoBytesOfTheStack) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4, .slot = slot_of<TypeParam>()});
  BasicProducer<TypeParam> producer(ring);
  BasicConsumer<TypeParam> consumer(ring.mapping());
  using EventType = BasicEvent<TypeParam>;
  alignas(EventType) std::array<std::byte, sizeof(EventType)> memory;
  memory.fill(std::byte{0xaa});
  auto* event = new (memory.data()) EventType;
  event->set(Small{});
  producer.publish(*event);
  ASSERT_EQ(consumer.try_read(*event), ReadStatus::kEvent);
  EXPECT_EQ(nonzero_bytes_behind(event->payload, sizeof(Small)), 0u);
}

TYPED_TEST(PayloadTest, AnEventThatWasNotSetIsZero) {
  using EventType = BasicEvent<TypeParam>;
  alignas(EventType) std::array<std::byte, sizeof(EventType)> memory;
  memory.fill(std::byte{0xaa});
  const auto* event = new (memory.data()) EventType;
  EXPECT_EQ(nonzero_bytes_behind(event->payload, 0), 0u);
}

TYPED_TEST(PayloadTest, SetKeepsNothingOfTheEventBefore) {
  BasicEvent<TypeParam> event;
  std::array<std::byte, TypeParam::payload_bytes()> all;
  all.fill(std::byte{0xbb});
  event.set(all);
  event.set(Small{});
  EXPECT_EQ(nonzero_bytes_behind(event.payload, sizeof(Small)), 0u);
}

TYPED_TEST(PayloadTest, PublishFromKeepsNoTailOfTheLastLap) {
  if (TypeParam::format() == SlotFormat::kFull) return;  // its length says where it ends
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4, .slot = slot_of<TypeParam>()});
  BasicProducer<TypeParam> producer(ring);
  BasicEvent<TypeParam> event;
  std::array<std::byte, TypeParam::payload_bytes()> all;
  all.fill(std::byte{0xbb});
  event.set(all);
  for (int i = 0; i < 4; ++i) producer.publish(event);
  BasicConsumer<TypeParam> consumer(ring.mapping(), StartAt::kNewest);
  producer.publish_from(3, [](std::uint64_t) noexcept { return Small{}; });
  std::vector<BasicEvent<TypeParam>> events(3);
  ASSERT_EQ(consumer.read_burst(events).count, 3u);
  for (const auto& got : events) {
    EXPECT_EQ(got.template get<Small>().number, 7u);
    EXPECT_EQ(nonzero_bytes_behind(got.payload, sizeof(Small)), 0u);
  }
}

TEST(LargePayloadTest, PublishFromPublishesNoBytesOfTheStack) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4, .slot = slot_of<Slot256>()});
  BasicProducer<Slot256> producer(ring);
  BasicConsumer<Slot256> consumer(ring.mapping());
  using Large = std::array<std::byte, 152>;
  soil_the_stack();
  producer.publish_from(1, [](std::uint64_t) noexcept { return Large{}; });
  BasicEvent<Slot256> event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_EQ(nonzero_bytes_behind(event.payload, 0), 0u);
}

}  // namespace
}  // namespace evring
