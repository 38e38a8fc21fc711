// SPDX-License-Identifier: MIT
// What a fork copies is not what the parent holds: a child's copies end nothing, and
// nothing of a dead parent lives on in its children.
#include <evring/shared_producer.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "../eventually.hpp"
#include "../fresh_runtime_dir.hpp"
#include "support.hpp"

namespace evring {
namespace {

using testing::event_numbered;
using testing::publish_numbered;

std::uint64_t write_limit(const LocalRing& ring) {
  return load_relaxed(
      reinterpret_cast<const std::uint64_t*>(&ring.mapping().header()->write_limit));
}

TEST(ForkTest, AChildsCopyOfAProducerDoesNotEndTheParents) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 1024});
  auto producer = std::make_unique<Producer>(ring);
  publish_numbered(*producer, 3);
  const std::uint64_t limit = write_limit(ring);
  const std::uint64_t generation = producer->generation();
  EXPECT_EQ(testing::run_child([&] {
              producer.reset();
              return true;
            }),
            0);
  EXPECT_EQ(write_limit(ring), limit) << "lowered under the parent";
  EXPECT_THROW(Producer{ring}, std::system_error) << "the parent lives";
  EXPECT_EQ(testing::run_child([&] {
              try {
                const Producer second(ring);
              } catch (const std::system_error& error) {
                return error.code().value() == EBUSY;
              }
              return false;
            }),
            0);
  publish_numbered(*producer, 3);
  EXPECT_EQ(read_status(*ring.mapping().header(), 0)->block.generation, generation);
}

TEST(ForkTest, AChildsCopyOfAProducerPublishesNothing) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 1024});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  publish_numbered(producer, 3);
  EXPECT_EQ(testing::run_child([&] {
              const std::array<Event, 4> events{};
              auto reserved = producer.reserve(2);
              const bool is_refused =
                  producer.publish(event_numbered(99)) == PublishStatus::kDropped &&
                  producer.publish_batch(events) == 0 && producer.publish_batch({}) == 0 &&
                  reserved.count() == 0;
              producer.refresh_status();
              return is_refused;
            }),
            0);
  EXPECT_EQ(producer.next_sequence(), 3u);
  EXPECT_EQ(read_status(*ring.mapping().header(), 0)->block.dropped, 0u);
  publish_numbered(producer, 3);
  const auto drained = testing::drain(consumer);
  EXPECT_EQ(drained.torn + drained.out_of_order, 0u);
  EXPECT_EQ(consumer.received(), 6u);
}

// The C library's handlers do not run there.
TEST(ForkTest, ACopyMadePastTheCLibraryEndsNothing) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 1024, .mode = Mode::kGated});
  auto producer = std::make_unique<Producer>(ring, WhenFull::kRefuse);
  auto registration = std::make_unique<Registration>(ring.register_consumer());
  publish_numbered(*producer, 3);
  const std::uint64_t limit = write_limit(ring);
  const auto child = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (child == 0) {
    producer.reset();
    registration.reset();
    ::_exit(0);
  }
  EXPECT_EQ(testing::wait_for(child), 0);
  EXPECT_EQ(write_limit(ring), limit);
  EXPECT_EQ(ring.registered_count(), 1u);
  EXPECT_THROW(Producer{ring}, std::system_error);
}

TEST(ForkTest, AChildTakesTheRingWhenItsParentsProducerHasEnded) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 64});
  auto producer = std::make_unique<Producer>(ring);
  publish_numbered(*producer, 3);
  EXPECT_EQ(testing::run_child([&] {
              const pid_t parent_copy = ::fork();
              if (parent_copy == 0) ::_exit(0);
              testing::wait_for(parent_copy);
              return true;
            }),
            0);
  producer.reset();
  EXPECT_EQ(testing::run_child([&] {
              Producer mine(ring);
              publish_numbered(mine, 2);
              return mine.generation() == 2;
            }),
            0);
  EXPECT_EQ(Producer(ring).next_sequence(), 5u);
}

TEST(ForkTest, AChildsCopyOfASharedProducerWaitsForNoThreadOfItsParent) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated});
  SharedProducer<DefaultSlot> shared(ring);
  const std::array<Event, 4> events{};
  int status = -1;
  shared.with_producer([&](Producer&) {
    status = testing::run_child([&] {
      ::alarm(10);
      return shared.publish(events[0]) == PublishStatus::kDropped &&
             shared.publish_batch(events) == 0;
    });
  });
  EXPECT_EQ(status, 0) << "14: waits for ever";
  EXPECT_EQ(shared.publish(events[0]), PublishStatus::kPublished);
  EXPECT_EQ(Consumer(ring.mapping()).head(), 1u);
}

TEST(ForkTest, AnInertCopyClosesNoStrangersDescriptor) {
  EXPECT_EQ(testing::run_child([] {
              LocalRing ring = LocalRing::anonymous({.slot_count = 64});
              std::optional<Registration> registration = ring.register_consumer();
              const rlimit few{64, 64};
              ::setrlimit(RLIMIT_NOFILE, &few);
              while (::dup(0) >= 0) {
              }
              return testing::run_child([&] {
                       const int own = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
                       registration.reset();
                       return own < 0 || ::fcntl(own, F_GETFD) >= 0;
                     }) == 0;
            }),
            0);
}

TEST(ForkTest, AChildMayDropANamedRingWhileItsOwnerServes) {
  const FreshRuntimeDir runtime_dir;
  std::optional<LocalRing> ring = LocalRing::named({.slot_count = 64, .name = "serving"});
  const Attachment one = attach_local("serving");
  EXPECT_EQ(testing::run_child([&] {
              ring.reset();
              return true;
            }),
            0);
  EXPECT_FALSE(testing::is_readable(one.owner_fd.get())) << "hung up";
  EXPECT_NO_THROW(attach_local("serving"));
}

/// A registration, made in one of two ways.
struct Seating {
  const char* name;
  std::function<Registration(LocalRing&)> take;
};
void PrintTo(const Seating& seating, std::ostream* out) { *out << seating.name; }

class ForkedSeatTest : public ::testing::TestWithParam<Seating> {
 protected:
  LocalRing make_ring(Mode mode) {
    return LocalRing::named({.slot_count = 8, .mode = mode, .name = "forked"});
  }
  FreshRuntimeDir runtime_dir;
};
INSTANTIATE_TEST_SUITE_P(
    Ways, ForkedSeatTest,
    ::testing::Values(
        Seating{"in_process",
                [](LocalRing& ring) { return ring.register_consumer(StartAt::kOldest); }},
        Seating{"by_socket",
                [](LocalRing&) {
                  return std::move(*attach_local("forked", StartAt::kOldest).registration);
                }}),
    ::testing::PrintToStringParamName());

TEST_P(ForkedSeatTest, AChildsCopyDoesNotEndTheParents) {
  LocalRing ring = make_ring(Mode::kGated);
  Producer producer(ring, WhenFull::kRefuse);
  auto registration = std::make_unique<Registration>(GetParam().take(ring));
  ASSERT_TRUE(registration->arm({}, 0));
  EXPECT_EQ(testing::run_child([&] {
              const bool is_inert = !registration->arm({}, 0) && !registration->disarm();
              registration.reset();
              return is_inert;
            }),
            0);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // an owner would have heard
  EXPECT_EQ(ring.registered_count(), 1u);
  publish_numbered(producer, 8);
  EXPECT_TRUE(testing::is_readable(registration->doorbell_fd())) << "still armed";
  EXPECT_EQ(producer.publish(event_numbered(8)), PublishStatus::kDropped) << "still gated";
}

/// Kills a registered consumer that has forked. @return its child, which lives.
pid_t leave_an_orphan(LocalRing& ring, const Seating& seating) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe(pipe.data()), 0);
  const pid_t consumer = testing::start_child([&] {
    const auto* leaked = new Registration(seating.take(ring));
    static_cast<void>(leaked);
    if (::fork() == 0) {
      const pid_t pid = ::getpid();  // told from here: its fork is over, handlers and all
      if (::write(pipe[1], &pid, sizeof(pid)) != sizeof(pid)) ::_exit(1);
      for (;;) ::pause();
    }
    for (;;) ::pause();
    return false;
  });
  pid_t orphan = -1;
  EXPECT_EQ(::read(pipe[0], &orphan, sizeof(orphan)), static_cast<ssize_t>(sizeof(orphan)));
  ::close(pipe[0]);
  ::close(pipe[1]);
  ::kill(consumer, SIGKILL);
  testing::wait_for(consumer);
  return orphan;
}

TEST_P(ForkedSeatTest, ADeadConsumerDoesNotGateWhileAChildOfItLives) {
  LocalRing ring = make_ring(Mode::kGated);
  const pid_t orphan = leave_an_orphan(ring, GetParam());
  std::thread writer([&ring] {
    Producer producer(ring, WhenFull::kWait);
    publish_numbered(producer, 100);
    EXPECT_EQ(producer.published(), 100u);
  });
  Consumer watcher(ring.mapping());
  EXPECT_TRUE(eventually([&] { return watcher.head() == 100; })) << "the dead one holds the gate";
  ::kill(orphan, SIGKILL);
  writer.join();
  EXPECT_EQ(ring.registered_count(), 0u);
}

/// A forked consumer that is killed, and a zombie until wait_for() is called on it.
pid_t leave_a_zombie(LocalRing& ring) {
  const pid_t consumer = testing::start_child([&] {
    const auto* leaked = new Registration(ring.register_consumer(StartAt::kOldest));
    static_cast<void>(leaked);
    ::kill(::getpid(), SIGKILL);
    return false;
  });
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(consumer), &info, WEXITED | WNOWAIT);
  return consumer;
}

TEST(GateTest, ARefusingProducerGoesOnWhenItsConsumerHasDied) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8, .mode = Mode::kGated});
  testing::wait_for(leave_a_zombie(ring));
  Producer producer(ring, WhenFull::kRefuse);
  publish_numbered(producer, 200);
  EXPECT_GE(producer.published(), 200u - 64) << "it looks at the latest after so many drops";
}

TEST(GateTest, ALivingConsumerGatesARefusingProducerForGood) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8, .mode = Mode::kGated});
  const Registration alive = ring.register_consumer(StartAt::kOldest);
  Producer producer(ring, WhenFull::kRefuse);
  publish_numbered(producer, 500);
  EXPECT_EQ(producer.published(), 8u);
}

TEST(GateTest, AZombieIsNotTakenForAlive) {
  LocalRing ring = LocalRing::anonymous({.slot_count = 8, .mode = Mode::kGated});
  const pid_t zombie = leave_a_zombie(ring);
  Producer producer(ring, WhenFull::kWait);
  publish_numbered(producer, 100);
  EXPECT_EQ(producer.published(), 100u);
  testing::wait_for(zombie);
}

TEST(GateTest, TheSeatOfADeadConsumerIsFree) {
  LocalRing ring = LocalRing::anonymous({.registered_count_max = 1});
  const pid_t zombie = leave_a_zombie(ring);
  EXPECT_NO_THROW((void)ring.register_consumer());
  testing::wait_for(zombie);
}

}  // namespace
}  // namespace evring
