// SPDX-License-Identifier: MIT
// What happens at a barrier, and where the kernel refuses one: arming and registering call
// membarrier(2), look again behind it, and without it ask the producer to fence.
// In children whose system calls are trapped: what another core does "meanwhile" happens in
// the middle of the call, each time.
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include <functional>

#include "../trap.hpp"
#include "support.hpp"

namespace evring {
namespace {

using testing::publish_numbered;

#ifdef SYS_poll
constexpr long kPoll = SYS_poll;
#else
constexpr long kPoll = SYS_ppoll;
#endif

std::uint64_t* armed_word(const LocalRing& ring) {
  return reinterpret_cast<std::uint64_t*>(&ring.producer_side()->doorbell->armed);
}

bool has_fence_bit(const LocalRing& ring) {
  return (load_relaxed(armed_word(ring)) & EVRING_ARMED_FENCE) != 0;
}

/// Without a system call that may be trapped.
bool rang(const Registration& registration) {
  std::uint64_t count = 0;
  return ::read(registration.doorbell_fd(), &count, sizeof(count)) > 0;
}

// The event is on its way out of another core while this one arms.
TEST(BarrierTest, AnEventThatTheBarrierBringsOutIsSeen) {
  EXPECT_EQ(testing::run_child([] {
              LocalRing ring = LocalRing::anonymous({.slot_count = 64});
              Producer producer(ring);
              Registration registration = ring.register_consumer();
              bool was_armed = false;
              at_each_barrier([&] {
                was_armed = load_relaxed(armed_word(ring)) == 1ULL << registration.index();
                publish_numbered(producer, 1);
                return 0;
              });
              return !registration.arm({}, 0) && was_armed && !rang(registration) &&
                     load_relaxed(armed_word(ring)) == 0;
            }),
            0);
}

TEST(BarrierTest, WhoArmsWithoutOneAsksForAFence) {
  EXPECT_EQ(testing::run_child([] {
              LocalRing ring = LocalRing::anonymous({.slot_count = 64});
              Producer producer(ring);
              Registration registration = ring.register_consumer();
              at_each_barrier([] { return -EPERM; });
              if (has_fence_bit(ring) || !registration.arm({}, 0)) return false;
              publish_numbered(producer, 1);
              return has_fence_bit(ring) && rang(registration);
            }),
            0);
}

TEST(BarrierTest, WhoRegistersWithoutOneAsksForAFence) {
  EXPECT_EQ(testing::run_child([] {
              LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
              at_each_barrier([] { return -ENOSYS; });
              const Registration registration = ring.register_consumer();
              return has_fence_bit(ring);
            }),
            0);
}

TEST(BarrierTest, AProducerThatNoneReachesFences) {
  EXPECT_EQ(testing::run_child([] {
              const LocalRing ring = LocalRing::anonymous({.slot_count = 64});
              trap_system_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
                               [] { return -EINVAL; });
              const Producer producer(ring);
              return has_fence_bit(ring);
            }),
            0);
}

// What a producer is about to write may be on its way out of its core, as above.
TEST(BarrierTest, AClaimThatTheBarrierBringsOutIsSeen) {
  EXPECT_EQ(testing::run_child([] {
              LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
              Producer producer(ring, WhenFull::kRefuse);
              publish_numbered(producer, 64);
              const std::shared_ptr<ProducerSide>& side = ring.producer_side();
              bool was_registered = false;
              at_each_barrier([&] {
                was_registered = ring.registered_count() == 1;
                store_relaxed(&side->table->claim, 80);
                return 0;
              });
              const Registration registration = ring.register_consumer(StartAt::kOldest);
              return was_registered && registration.sequence() == 80 - 64 &&
                     registration.page()->cursor == 80 - 64;
            }),
            0);
}

// A producer has cleared the armed bit, and rings while this one disarms.
TEST(BarrierTest, DisarmSwallowsARingThatIsUnderWay) {
  EXPECT_EQ(testing::run_child([] {
              LocalRing ring = LocalRing::anonymous({.slot_count = 64});
              Registration registration = ring.register_consumer();
              if (!registration.arm({}, 0)) return false;
              const unsigned index = registration.index();
              const int rope = ring.producer_side()->doorbell_fds[index];
              fetch_and(armed_word(ring), ~(1ULL << index));
              trap_any_system_call(kPoll, [&]() -> long {
                const std::uint64_t one = 1;
                return ::write(rope, &one, sizeof(one)) == sizeof(one) ? 1 : -EIO;
              });
              return registration.disarm() && !rang(registration);
            }),
            0);
}

// The other one disarms between the producer's look at who is armed and its turn.
TEST(BarrierTest, WhoDisarmsWhileAnotherIsRungIsNotRung) {
  EXPECT_EQ(testing::run_child([] {
              LocalRing ring = LocalRing::anonymous({.slot_count = 64});
              Producer producer(ring);
              Registration first = ring.register_consumer();
              Registration other = ring.register_consumer();
              if (first.index() > other.index()) std::swap(first, other);
              if (!first.arm({}, 0) || !other.arm({}, 0)) return false;
              bool was_rung = true;
              const int rope = ring.producer_side()->doorbell_fds[first.index()];
              trap_system_call(SYS_write, static_cast<std::uint32_t>(rope), [&]() -> long {
                was_rung = other.disarm();
                return 8;
              });
              publish_numbered(producer, 1);
              return !was_rung && !rang(other) && producer.doorbells_rung() == 1;
            }),
            0);
}

}  // namespace
}  // namespace evring
