// SPDX-License-Identifier: MIT
// Publishing: one, a batch, a reservation; one producer a ring.
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::drain;
using testing::event_numbered;
using testing::is_whole;

TEST(ProducerTest, PublishesABatchLargerThanTheRing) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  std::vector<Event> events;
  for (std::uint64_t seq = 0; seq < 23; ++seq) events.push_back(event_numbered(seq));
  EXPECT_EQ(producer.publish_batch(events), 23u);
  EXPECT_EQ(consumer.head(), 23u);
  EXPECT_EQ(drain(consumer).torn, 0u);
  EXPECT_EQ(consumer.lost(), 19u);
}

TEST(ProducerTest, ShowsNothingOfAReservationBeforeItsCommit) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  auto reservation = producer.reserve(3);
  ASSERT_EQ(reservation.count(), 3u);
  testing::fill_all(reservation);
  for (std::uint64_t i = 0; i < 3; ++i) reservation.set_type(i, 7, 24);
  Event event;
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kEmpty);
  EXPECT_EQ(consumer.head(), 0u);
  reservation.commit();
  for (std::uint64_t seq = 0; seq < 3; ++seq) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_EQ(event.type, 7u);
    EXPECT_EQ(event.length_bytes, 24u);
    EXPECT_TRUE(is_whole(event));
  }
}

TEST(ProducerTest, CutsALengthPastThePayload) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 4});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  Event event = event_numbered(0);
  event.length_bytes = 4000;
  producer.publish(event);
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  EXPECT_EQ(event.length_bytes, 40u);
  const auto* slot = reinterpret_cast<const std::uint64_t*>(ring.mapping().slots());
  EXPECT_EQ(load_relaxed(slot + 2) >> 32, 40u) << "not only by who reads it";
}

TEST(ProducerTest, IsTheOnlyOneOfItsRing) {
  const LocalRing ring = LocalRing::anonymous();
  {
    const Producer producer(ring);
    EXPECT_THROW(Producer{ring}, std::system_error);
    const int status = testing::run_child([&] {
      try {
        const Producer second(ring);
      } catch (const std::system_error& error) {
        return error.code().value() == EBUSY;
      }
      return false;
    });
    EXPECT_EQ(status, 0) << "a fork is refused as well";
  }
  EXPECT_NO_THROW(Producer{ring});
}

}  // namespace
}  // namespace evring
