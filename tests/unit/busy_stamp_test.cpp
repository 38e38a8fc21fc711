// SPDX-License-Identifier: MIT
// A ring as the kernel writes it: without a write limit, slots that are being written say BUSY.
// The producer is this test, word by word.
#include <sys/mman.h>

#include <cstring>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::is_whole;
using testing::payload_word;

constexpr std::uint64_t kSlotCount = 64;
constexpr std::uint64_t kBytes = EVRING_HEADER_BYTES + kSlotCount * EVRING_SLOT_BYTES_DEFAULT;

class BusyStampTest : public ::testing::Test {
 protected:
  BusyStampTest()
      : words_(static_cast<std::uint64_t*>(
            ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    const LocalRing model = LocalRing::anonymous({.slot_count = kSlotCount, .name = "kernel"});
    std::memcpy(words_, model.mapping().header(), kBytes);
    header()->features = 0;
  }

  /// Once: the mapping ends the memory.
  Mapping adopt() { return Mapping::adopt(words_, kBytes, "kernel"); }
  evring_header* header() { return reinterpret_cast<evring_header*>(words_); }
  std::uint64_t* slot(std::uint64_t sequence) {
    return words_ + EVRING_HEADER_BYTES / 8 + sequence % kSlotCount * EVRING_SLOT_BYTES_DEFAULT / 8;
  }
  void begin(std::uint64_t sequence) {
    store_relaxed(slot(sequence), EVRING_STAMP_BUSY(sequence));
    for (std::size_t i = 0; i < 5; ++i) {
      store_relaxed(slot(sequence) + 3 + i, payload_word(sequence, i));
    }
  }
  void end(std::uint64_t sequence) { store_relaxed(slot(sequence), EVRING_STAMP_READY(sequence)); }
  /// Slots alone: head follows at the end of a batch.
  void write(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t sequence = first; sequence != last; ++sequence) {
      begin(sequence);
      end(sequence);
    }
  }
  void publish(std::uint64_t first, std::uint64_t last) {
    write(first, last);
    store_relaxed(reinterpret_cast<std::uint64_t*>(&header()->head), last);
  }

 private:
  std::uint64_t* words_;
};

TEST_F(BusyStampTest, WhatIsBeingWrittenIsEmptyNowAndAnOverrunOfTheLapBefore) {
  publish(0, kSlotCount);
  Consumer consumer(adopt());
  begin(kSlotCount);
  Event event;
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kOverrun);
  EXPECT_EQ(consumer.resync(ResyncTo::kNewest), kSlotCount);
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kEmpty);
  end(kSlotCount);
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_TRUE(is_whole(event));
}

TEST_F(BusyStampTest, AVisitThatIsWrittenOverIsDiscarded) {
  publish(0, kSlotCount);
  Consumer consumer(adopt());
  EXPECT_EQ(consumer.visit([&](const auto&) { begin(kSlotCount); }), ReadStatus::kOverrun);
  EXPECT_EQ(consumer.cursor(), 0u);
  EXPECT_EQ(consumer.resync(), 1u);
  const auto next = [&](const auto& view) {
    if (view.sequence() == 3) begin(kSlotCount + 1);  // 1, the oldest of this burst
  };
  EXPECT_EQ(consumer.visit_burst(4, next).status, ReadStatus::kOverrun);
}

// Head says nothing yet of the batch that laps it.
TEST_F(BusyStampTest, AResyncStepsOverWhatIsLappedAlready) {
  publish(0, kSlotCount);
  Consumer consumer(adopt());
  write(kSlotCount, kSlotCount + 5);
  begin(kSlotCount + 5);
  Event event;
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kOverrun);
  EXPECT_EQ(consumer.resync(), 6u);
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_EQ(event.sequence, 6u);
  EXPECT_TRUE(consumer.balance().balanced());
}

}  // namespace
}  // namespace evring
