// SPDX-License-Identifier: MIT
// Where a registered consumer starts while a producer is about to write, and which page it
// gets.
#include <optional>
#include <utility>

#include "support.hpp"

namespace evring {
namespace {

using testing::event_numbered;
using testing::publish_numbered;

/// Registers a consumer between a claim and the look at the gate.
struct RegisterAtClaim {
  static inline LocalRing* ring = nullptr;
  static inline std::optional<Registration> registration;

  void operator()(PublishStep at) const {
    if (at == PublishStep::kClaimed && ring != nullptr) {
      registration = std::exchange(ring, nullptr)->register_consumer(StartAt::kOldest);
    }
  }
};

// The claim alone says so: the limit still stands at what was granted before.
TEST(SeatTest, StartsBehindWhatIsClaimedAndGatesFromThere) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
  BasicProducer<DefaultSlot, RegisterAtClaim> producer(ring, WhenFull::kRefuse);
  publish_numbered(producer, 64);
  RegisterAtClaim::ring = &ring;
  EXPECT_EQ(producer.publish(event_numbered(64)), PublishStatus::kPublished);
  ASSERT_TRUE(RegisterAtClaim::registration);
  EXPECT_EQ(RegisterAtClaim::registration->sequence(), 16u) << "64 and 1/4 of the ring is claimed";
  publish_numbered(producer, 20);
  EXPECT_EQ(producer.published(), 16u + 64u);
  EXPECT_EQ(producer.dropped(), 5u);
  RegisterAtClaim::registration.reset();
}

// Who has left a page may still have it mapped, and write what gates the next one there.
TEST(SeatTest, APageComesBackAsLateAsPossible) {
  for (const Mode mode : {Mode::kOverwrite, Mode::kGated}) {
    for (const unsigned count : {2U, 3U, 4U, 63U}) {
      LocalRing ring =
          LocalRing::anonymous({.slot_count = 8, .mode = mode, .registered_count_max = count});
      for (unsigned i = 0; i < 2 * count; ++i) {
        EXPECT_EQ(ring.register_consumer().index(), i % count) << "of " << count;
      }
    }
  }
}

}  // namespace
}  // namespace evring
