// SPDX-License-Identifier: MIT
// The status block: exact counts, one consistent look, gone.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "support.hpp"

namespace evring {
namespace {

using testing::event_numbered;
using testing::publish_numbered;

TEST(StatusTest, CountsExactly) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8, .first_sequence = 1000});
  Producer producer(ring);
  const evring_header& header = *ring.mapping().header();
  publish_numbered(producer, 5);
  auto status = read_status(header, 1000);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->head, 1005u);
  EXPECT_EQ(status->published, 5u) << "derived from head: exact between refreshes";
  EXPECT_EQ(status->block.generation, 1u);
  const std::vector<Event> events(3, event_numbered(0));
  producer.publish_batch(events);
  status = read_status(header, 1000);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->published, 8u);
  producer.refresh_status();
  status = read_status(header, 1000);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->block.published, 8u);
  EXPECT_GT(status->block.last_event_ns, 0u);
  EXPECT_GE(status->block.monotonic_ns, status->block.last_event_ns);
  EXPECT_GT(status->block.realtime_ns, std::uint64_t{1'500'000'000} * 1'000'000'000);
  EXPECT_EQ(status->offered(), 8u);
}

TEST(StatusTest, RefreshesAtLeastEvery1024Events) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8, .slot = slot_of<BareSlot64>()});
  BasicProducer<BareSlot64> producer(ring);
  for (std::uint64_t seq = 0; seq < 5000; ++seq) {
    producer.publish({});
    ASSERT_LT(seq + 1 - read_status(*ring.mapping().header(), 0)->block.published, 1024u);
  }
}

TEST(StatusTest, RefreshesWhenAMillisecondHasPassed) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8});
  Producer producer(ring);
  for (std::uint64_t count = 1; count < 4; ++count) {
    publish_numbered(producer, 1);
    EXPECT_EQ(read_status(*ring.mapping().header(), 0)->block.published, count);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST(StatusTest, ReportsTheTimeSpentWaitingForALock) {
  const LocalRing ring = LocalRing::anonymous();
  Producer producer(ring);
  producer.add_lock_wait(250);
  producer.add_lock_wait(50);
  producer.refresh_status();
  const auto status = read_status(*ring.mapping().header(), 0);
  EXPECT_EQ(status->block.lock_wait_ns, 300u);
  EXPECT_EQ(status->block.lock_contended, 2u);
}

TEST(StatusTest, GivesUpOnABlockThatIsNeverQuiet) {
  evring_header header{};
  header.status_sequence = 7;
  EXPECT_FALSE(read_status(header, 0));
}

TEST(StatusTest, IsOneInstantBesideABusyProducer) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 8, .mode = Mode::kGated});
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    Producer producer(ring, WhenFull::kRefuse);
    // Keeps wait time and contention in step: a torn look sees them apart.
    while (!stop.load()) {
      producer.add_lock_wait(3);
      producer.refresh_status();
    }
  });
  int seen = 0;
  int torn = 0;
  for (int i = 0; i < 20000; ++i) {
    if (const auto status = read_status(*ring.mapping().header(), 0)) {
      ++seen;
      torn += status->block.lock_wait_ns != 3 * status->block.lock_contended;
    }
  }
  stop = true;
  writer.join();
  EXPECT_GT(seen, 0);
  EXPECT_EQ(torn, 0);
}

TEST(StatusTest, SaysGoneWhenTheOwnerCloses) {
  auto ring = std::make_unique<LocalRing>(LocalRing::anonymous());
  const Mapping mapping = ring->mapping();
  EXPECT_EQ(gone(*mapping.header()), std::uint64_t{EVRING_GONE_NOT});
  EXPECT_EQ(testing::run_child([&] {
              ring.reset();
              return true;
            }),
            0);
  EXPECT_EQ(gone(*mapping.header()), std::uint64_t{EVRING_GONE_NOT}) << "a fork is no owner";
  ring.reset();
  EXPECT_EQ(gone(*mapping.header()), std::uint64_t{EVRING_GONE_CLOSED});
}

}  // namespace
}  // namespace evring
