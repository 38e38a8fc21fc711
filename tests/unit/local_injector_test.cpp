// SPDX-License-Identifier: MIT
// Publishing into a named ring of another process, through its owner's socket.
#include <evring/local_injector.hpp>
#include <evring/shared_producer.hpp>

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "socket_support.hpp"

namespace evring {
namespace {

using testing::publish_numbered;

class LocalInjectorTest : public testing::LocalSocketTest {};

/// `count` events as struct evring_inject has them: numbers from `first` on, as payload.
std::vector<std::uint64_t> events_from(std::uint64_t first, std::uint32_t count,
                                       std::uint32_t payload_words = 1) {
  std::vector<std::uint64_t> words;
  for (std::uint32_t i = 0; i < count; ++i) {
    words.push_back(EVRING_TYPE_LENGTH(7, 8 * payload_words));
    for (std::uint32_t word = 0; word < payload_words; ++word) words.push_back(first + i);
  }
  return words;
}

template <class Layout>
std::shared_ptr<SharedProducer<Layout>> serve(LocalRing& ring) {
  auto producer = std::make_shared<SharedProducer<Layout>>(ring, WhenFull::kRefuse);
  accept_injected(ring, producer);
  return producer;
}

template <class Call>
int errno_of(Call&& call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

TEST_F(LocalInjectorTest, AnotherProcessPublishesThroughTheOwner) {
  LocalRing ring = LocalRing::named({.slot_count = 8192, .name = "open"});
  const auto producer = serve<DefaultSlot>(ring);
  Consumer consumer(ring.mapping());
  EXPECT_EQ(testing::run_child([] {
              LocalInjector injector("open");
              const auto events = events_from(0, 5000);
              const LocalInjected done = injector.inject(events.data(), 5000, 16);
              return done.published_count == 5000 && done.first_sequence == 0 &&
                     injector.mapping().geometry().slot_count == 8192;
            }),
            0);
  Event event;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    ASSERT_EQ(event.get<std::uint64_t>(), i);
    ASSERT_EQ(event.type, 7u);
    ASSERT_EQ(event.length_bytes, 8u);
  }
}

TEST_F(LocalInjectorTest, PublishesBesideTheOwnersOwnThread) {
  LocalRing ring = LocalRing::named({.slot_count = 1024, .name = "shared"});
  const auto producer = serve<DefaultSlot>(ring);
  std::thread own([&producer] {
    Event event{};
    for (int i = 0; i < 20000; ++i) producer->publish(event);
  });
  LocalInjector injector("shared");
  const auto events = events_from(0, 100);
  std::uint64_t published = 0;
  for (int i = 0; i < 50; ++i) published += injector.inject(events.data(), 100, 16).published_count;
  own.join();
  EXPECT_EQ(published, 5000u);
  EXPECT_EQ(Consumer(ring.mapping()).head(), 25000u);
}

TEST_F(LocalInjectorTest, TellsHowManyAGatedRingTook) {
  LocalRing ring = LocalRing::named({.slot_count = 8, .mode = Mode::kGated, .name = "narrow"});
  const auto producer = serve<AnySlotLayout>(ring);
  const Registration registration = ring.register_consumer(StartAt::kOldest);
  LocalInjector injector("narrow");
  const auto events = events_from(0, 20);
  EXPECT_EQ(injector.inject(events.data(), 20, 16).published_count, 8u);
  EXPECT_EQ(producer->with_producer([](AnyProducer& into) { return into.dropped(); }), 12u);
}

TEST_F(LocalInjectorTest, ARingThatTakesNoneRefuses) {
  LocalRing ring = LocalRing::named({.name = "closed"});
  EXPECT_EQ(errno_of([] { LocalInjector injector("closed"); }), EOPNOTSUPP);
  EXPECT_NO_THROW(attach_local("closed"));
  LocalRing anonymous = LocalRing::anonymous();
  EXPECT_THROW(serve<DefaultSlot>(anonymous), std::invalid_argument);
}

// Or who injects as soon as the ring is there is told that it takes no events.
TEST_F(LocalInjectorTest, WhatComesBeforeARingIsFoundHoldsForTheFirstWhoFindsIt) {
  std::shared_ptr<SharedProducer<DefaultSlot>> producer;
  int found_before = 0;
  const LocalRing ring = LocalRing::named({.name = "ready"}, [&](LocalRing& made) {
    found_before = errno_of([] { LocalInjector early("ready"); });
    producer = serve<DefaultSlot>(made);
  });
  EXPECT_EQ(found_before, ENOENT);
  LocalInjector injector("ready");
  EXPECT_EQ(injector.inject(events_from(0, 1).data(), 1, 16).published_count, 1U);
}

TEST_F(LocalInjectorTest, ARingWhosePreparationFailsLeavesItsNameFree) {
  const auto fails = [](LocalRing&) { throw std::runtime_error("not today"); };
  EXPECT_THROW(LocalRing::named({.name = "again"}, fails), std::runtime_error);
  EXPECT_NO_THROW(LocalRing::named({.name = "again"}));
}

// Or the thread that serves the ring would wait with it, and hear of no consumer's end.
TEST_F(LocalInjectorTest, AProducerThatWaitsIsRefused) {
  LocalRing ring = LocalRing::named({.mode = Mode::kGated, .name = "waiting"});
  const auto producer = std::make_shared<SharedProducer<DefaultSlot>>(ring, WhenFull::kWait);
  EXPECT_THROW(accept_injected(ring, producer), std::invalid_argument);
}

TEST_F(LocalInjectorTest, ABusyProducerDoesNotHoldUpTheServer) {
  LocalRing ring = LocalRing::named({.name = "busy"});
  const auto producer = serve<DefaultSlot>(ring);
  LocalInjector injector("busy");
  producer->with_producer([&](Producer&) {
    const auto events = events_from(0, 1);
    std::thread other(
        [&] { EXPECT_EQ(errno_of([&] { injector.inject(events.data(), 1, 16); }), ETIMEDOUT); });
    EXPECT_NO_THROW(attach_local("busy", StartAt::kNewest));
    other.join();
  });
  EXPECT_EQ(Consumer(ring.mapping()).head(), 0u);
}

TEST_F(LocalInjectorTest, WrongBatchesAreRefusedAndPublishNothing) {
  LocalRing ring = LocalRing::named({.slot_count = 64, .name = "strict"});
  const auto producer = serve<DefaultSlot>(ring);
  LocalInjector injector("strict");
  auto events = events_from(0, 4, 8);
  EXPECT_EQ(errno_of([&] { injector.inject(events.data(), 1, 72); }), EINVAL) << "past the slot";
  EXPECT_EQ(errno_of([&] { injector.inject(events.data(), 1, 12); }), EINVAL);
  EXPECT_EQ(errno_of([&] { injector.inject(events.data(), 1, 4); }), EINVAL);
  events[0] = EVRING_TYPE_LENGTH(0, 41);
  EXPECT_EQ(errno_of([&] { injector.inject(events.data(), 1, 48); }), EINVAL) << "its length";
  EXPECT_EQ(Consumer(ring.mapping()).head(), 0u);
  events[0] = EVRING_TYPE_LENGTH(0, 40);
  EXPECT_EQ(injector.inject(events.data(), 1, 48).published_count, 1u) << "and serves on";
}

// Or a reader that was told of the end misses events that were taken.
TEST_F(LocalInjectorTest, EndsBeforeTheRingIsGone) {
  auto ring = std::make_unique<LocalRing>(LocalRing::named({.name = "ending"}));
  const Mapping mapping = ring->mapping();
  std::optional<std::uint64_t> gone_at_end;
  std::shared_ptr<void> last(nullptr, [&](void*) { gone_at_end = gone(*mapping.header()); });
  ring->set_inject_handler([last = std::move(last)](const std::byte*, std::uint32_t,
                                                    std::uint32_t) { return std::nullopt; });
  ring.reset();
  EXPECT_EQ(gone_at_end, EVRING_GONE_NOT);
  EXPECT_EQ(gone(*mapping.header()), EVRING_GONE_CLOSED);
}

// A reply that came too late would answer every later batch, each with the one before it.
TEST_F(LocalInjectorTest, AConnectionThatMissedAReplyIsNotUsedAgain) {
  const testing::Gate served;
  const pid_t owner = testing::start_child([&] {
    LocalRing ring = LocalRing::named({.name = "stopping"});
    const auto producer = serve<DefaultSlot>(ring);
    served.open();
    ::pause();
    return true;
  });
  served.pass();
  LocalInjector injector("stopping");
  const auto events = events_from(0, 3);
  EXPECT_EQ(injector.inject(events.data(), 3, 16).published_count, 3u);
  testing::stop(owner);
  EXPECT_EQ(errno_of([&] { injector.inject(events.data(), 1, 16); }), EAGAIN);
  ::kill(owner, SIGCONT);
  EXPECT_EQ(errno_of([&] { injector.inject(events.data(), 3, 16); }), ECONNREFUSED);
  LocalInjector anew("stopping");
  const LocalInjected done = anew.inject(events.data(), 2, 16);
  EXPECT_EQ(done.published_count, 2u);
  EXPECT_EQ(done.first_sequence + 2, Consumer(anew.mapping()).head());
  ::kill(owner, SIGKILL);
  testing::wait_for(owner);
}

TEST_F(LocalInjectorTest, EndsWithTheRing) {
  auto ring = std::make_unique<LocalRing>(LocalRing::named({.name = "ending"}));
  serve<DefaultSlot>(*ring);
  LocalInjector injector("ending");
  ring.reset();
  const auto events = events_from(0, 1);
  EXPECT_EQ(errno_of([&] { injector.inject(events.data(), 1, 16); }), ECONNREFUSED);
}

}  // namespace
}  // namespace evring
