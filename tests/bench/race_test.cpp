// SPDX-License-Identifier: MIT
// The guest's race on a driver of this test's own, a queue behind a lock in shared memory: it
// adds up, and each way in which a driver may be wrong, planted, is found.
#include <bench/guest/race.hpp>
#include <bench/rig/processes.hpp>

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <string>

namespace evring::bench {
namespace {

void take(RaceSink& sink, const Input& event) { sink.count(RaceSink::examine(event)); }

TEST(RaceSinkTest, TakesWhatComesInTheOrderOfEachProducer) {
  RaceSink sink;
  for (const std::uint64_t number : {0, 1, 5}) {  // what is between was lost
    take(sink, event_of(1, number));
    take(sink, event_of(0, number));
  }
  EXPECT_EQ(sink.received(), 6u);
  EXPECT_EQ(sink.torn() + sink.out_of_order(), 0u);
}

TEST(RaceSinkTest, FindsAnyWordOfAnotherEvent) {
  const Input other = event_of(3, 8);
  for (std::size_t i = 0; i < std::size(other.word); ++i) {
    RaceSink sink;
    Input event = event_of(2, 7);
    event.word[i] = other.word[i];
    take(sink, event);
    EXPECT_EQ(sink.torn(), 1u) << "word " << i;
  }
}

TEST(RaceSinkTest, FindsAWrongTypeAndLength) {
  RaceSink sink;
  Input event = event_of(2, 7);
  event.type = 3;
  take(sink, event);
  event = event_of(2, 7);
  event.length_bytes = 39;
  take(sink, event);
  take(sink, event_of(kRaceProcessesMax, 0));  // there is no such producer
  EXPECT_EQ(sink.torn(), 3u);
}

TEST(RaceSinkTest, FindsARepeatedEventAndOneOutOfOrder) {
  RaceSink sink;
  for (const std::uint64_t number : {4, 4, 3}) take(sink, event_of(1, number));
  EXPECT_EQ(sink.torn(), 0u);
  EXPECT_EQ(sink.out_of_order(), 2u);
}

/// Each event goes to one consumer; a full queue drops it. The case's variant is its fault.
class QueueDriver {
  struct Queue {
    std::atomic_flag lock;
    std::array<Input, 16> event;
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::uint64_t dropped = 0;
  };
  class Locked {
   public:
    explicit Locked(Queue& queue) : queue_(queue) {
      while (queue_.lock.test_and_set()) sched_yield();
    }
    ~Locked() { queue_.lock.clear(); }
    Locked(const Locked&) = delete;

   private:
    Queue& queue_;
  };

 public:
  static constexpr bool kBroadcast = false;

  explicit QueueDriver(const Case& one) : fault_(one.variant) {}

  Account account() const {
    return {.published = queue_->head, .dropped = queue_->dropped, .left = left_of(*queue_)};
  }

  class Producer {
   public:
    explicit Producer(QueueDriver& driver) : queue_(*driver.queue_), fault_(driver.fault_) {}
    std::uint32_t inject(const Input* events, std::uint32_t count) {
      const Locked locked(queue_);
      const auto room = static_cast<std::uint32_t>(queue_.event.size() - left_of(queue_));
      const std::uint32_t taken = std::min(count, room);
      for (std::uint32_t i = 0; i < taken; ++i) at(queue_, queue_.head++) = events[i];
      if (fault_ != "dropped and not counted") queue_.dropped += count - taken;
      if (taken >= 2) spoil(at(queue_, queue_.head - 2), at(queue_, queue_.head - 1));
      return fault_ == "accepted and not published" ? taken + 1 : taken;
    }

   private:
    void spoil(Input& one, Input& next) {
      if (fault_ == "repeated") next = one;
      if (fault_ == "torn") next.word[4] = one.word[4];
      if (fault_ == "reordered") std::swap(one, next);
    }

    Queue& queue_;
    const std::string& fault_;
  };

  class Consumer {
   public:
    explicit Consumer(QueueDriver& driver) : queue_(*driver.queue_), fault_(driver.fault_) {}
    bool poll(RaceSink& sink) {
      const Locked locked(queue_);
      if (left_of(queue_) == 0) return false;
      if (fault_ == "dies") throw std::runtime_error("as planted");
      take(sink, at(queue_, queue_.tail));
      queue_.tail += fault_ == "lost and not counted" ? 2 : 1;
      return true;
    }
    bool is_balanced(std::uint64_t) const { return fault_ != "unbalanced"; }
    std::uint64_t lost() const { return 0; }

   private:
    Queue& queue_;
    const std::string& fault_;
  };

 private:
  static std::uint64_t left_of(const Queue& queue) {
    return queue.head > queue.tail ? queue.head - queue.tail : 0;
  }
  static Input& at(Queue& queue, std::uint64_t sequence) {
    return queue.event[sequence % queue.event.size()];
  }

  Shared<Queue> queue_;
  std::string fault_;
};

/// The first burst of each producer, longer than the queue, meets all that may be planted: how
/// much more is done in the time does not matter.
Record run_with(const std::string& fault, unsigned consumer_count) {
  return race<QueueDriver>({.loop = "race",
                            .contender = "queue",
                            .variant = fault,
                            .burst_count = 32,
                            .consumer_count = consumer_count,
                            .producer_count = 3,
                            .duration_ms = 20});
}

TEST(RaceTest, AddsUpOverADriverThatDoes) {
  const Record record = run_with("", 2);
  EXPECT_TRUE(record["exact"]) << record;
  EXPECT_FALSE(record.contains("faults"));
  EXPECT_GT(record["injected"], 0);
  EXPECT_GE(record["injected"], record["value"]);
}

TEST(RaceTest, SaysWhatIsWrongWithADriver) {
  const std::pair<const char*, const char*> kFaults[] = {
      {"torn", "torn events"},
      {"repeated", "out of order"},
      {"reordered", "out of order"},
      {"dropped and not counted", "dropped"},
      {"accepted and not published", "accepted"},
      {"lost and not counted", "delivered"},
      {"unbalanced", "consumer 0"},
      {"dies", "processes failed"},
  };
  for (const auto& [fault, word] : kFaults) {
    const Record record = run_with(fault, 1);
    EXPECT_FALSE(record["exact"]) << fault;
    EXPECT_NE(record.value("faults", Record()).dump().find(word), std::string::npos) << record;
  }
}

}  // namespace
}  // namespace evring::bench
