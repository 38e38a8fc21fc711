// SPDX-License-Identifier: MIT
// evring_list.ko in a guest: what it refuses, what it delivers, that its mutexes keep the
// lists whole under ten processes, and that without them the breakage is seen.
#include <numeric>

#include "support.hpp"

namespace evring::baseline_test {
namespace {

struct List {
  Descriptor node{EVRING_LIST_PATH, O_RDWR};

  int add(const std::string& name, std::uint32_t flags, std::uint64_t max_events,
          std::uint64_t* device_id) const {
    evring_list_device config{};
    config.flags = flags;
    config.max_events = max_events;
    name.copy(config.name, sizeof(config.name));
    const int status = node.call(EVRING_LIST_IOC_ADD, &config);
    *device_id = config.device_id;
    return status;
  }
  int remove(std::uint64_t device_id) const {
    return node.call(EVRING_LIST_IOC_REMOVE, &device_id);
  }
  int inject(std::uint64_t device_id, Input input) const {
    return node.transfer(EVRING_LIST_IOC_INJECT, device_id, &input, 1);
  }
  int get(std::uint64_t device_id, Event* event) const {
    return node.transfer(EVRING_LIST_IOC_GET, device_id, event, 1);
  }
  evring_list_stats stats(std::uint64_t device_id,
                          unsigned long command = EVRING_LIST_IOC_STATS) const {
    evring_list_stats stats{};
    stats.device_id = device_id;
    EXPECT_EQ(node.call(command, &stats), 0);
    EXPECT_EQ(stats.device_id, device_id);
    return stats;
  }
  evring_list_stats audit(std::uint64_t device_id) const {
    return stats(device_id, EVRING_LIST_IOC_AUDIT);
  }
};

/// A list and one device on it that goes with the test.
class ListTest : public ::testing::Test {
 protected:
  void use_device(std::uint32_t flags, std::uint64_t max_events = 0) {
    ASSERT_EQ(list_.add("under_test", flags, max_events, &id_), 0);
  }
  void TearDown() override {
    if (id_ != 0) {
      EXPECT_EQ(list_.remove(id_), 0);
    }
  }

  List list_;
  std::uint64_t id_ = 0;
};

std::uint64_t corruptions(const evring_list_stats& stats) {
  return std::accumulate(std::begin(stats.corrupt), std::end(stats.corrupt), std::uint64_t{0}) +
         std::accumulate(std::begin(stats.device_corrupt), std::end(stats.device_corrupt),
                         std::uint64_t{0});
}

int inject_until_told(std::uint64_t device_id, int producer, const Crowd::Stop& stop) {
  const List own;
  for (std::uint64_t number = 0; !stop; ++number) {
    if (own.inject(device_id, numbered(number, static_cast<std::uint32_t>(producer))) < 0) return 1;
  }
  return 0;
}

/// Takes and checks events until told to stop, then until the list is empty.
int get_until_empty(std::uint64_t device_id, const Crowd::Stop& stop, Tally* tally) {
  const List own;
  std::array<Event, EVRING_BASELINE_BATCH_MAX> events;
  for (;;) {
    const bool last_round = stop;
    const int got = own.node.transfer(EVRING_LIST_IOC_GET, device_id, events.data(),
                                      static_cast<std::uint32_t>(events.size()));
    for (int i = 0; i < got; ++i) tally->take(events[static_cast<std::size_t>(i)]);
    if (got <= 0 && got != -EAGAIN && got != -EIO) return 1;
    if (got == -EAGAIN && last_round) return 0;
  }
}

TEST_F(ListTest, RefusesBadDevices) {
  std::uint64_t id = 0;
  evring_list_device config{};
  config.name[0] = 'a';
  config.flags = EVRING_LIST_MUTEX | EVRING_LIST_UNLOCKED;
  EXPECT_EQ(list_.node.call(EVRING_LIST_IOC_ADD, &config), -EINVAL);
  config.flags = 4;
  EXPECT_EQ(list_.node.call(EVRING_LIST_IOC_ADD, &config), -EINVAL);
  config.flags = 0;
  config.reserved = 1;
  EXPECT_EQ(list_.node.call(EVRING_LIST_IOC_ADD, &config), -EINVAL);
  EXPECT_EQ(list_.add("", 0, 0, &id), -EINVAL);
  EXPECT_EQ(list_.add(std::string(EVRING_BASELINE_NAME_BYTES, 'x'), 0, 0, &id), -EINVAL);
  EXPECT_EQ(list_.add("huge", EVRING_LIST_UNLOCKED, 1ULL << 40, &id), -EINVAL);
  EXPECT_EQ(list_.node.call(EVRING_LIST_IOC_ADD, nullptr), -EFAULT);
  evring_list_stats stats{};
  EXPECT_EQ(list_.node.call(EVRING_LIST_IOC_STATS, &stats), -ENOENT) << "nothing was added";
}

TEST_F(ListTest, RefusesASecondDeviceOfTheSameName) {
  use_device(EVRING_LIST_MUTEX);
  std::uint64_t other = 0;
  EXPECT_EQ(list_.add("under_test", 0, 0, &other), -EEXIST);
  EXPECT_EQ(list_.stats(id_).injected, 0u);
}

TEST_F(ListTest, HoldsAtMostSoManyDevices) {
  std::vector<std::uint64_t> ids(EVRING_LIST_DEVICE_COUNT_MAX);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ASSERT_EQ(list_.add("device" + std::to_string(i), 0, 0, &ids[i]), 0);
  }
  std::uint64_t one_more = 0;
  EXPECT_EQ(list_.add("one_more", 0, 0, &one_more), -ENOSPC);
  for (const std::uint64_t id : ids) EXPECT_EQ(list_.remove(id), 0);
  ASSERT_EQ(list_.add("one_more", 0, 0, &one_more), 0);
  EXPECT_EQ(list_.remove(one_more), 0);
}

TEST_F(ListTest, RefusesBadCallsAndChangesNothing) {
  use_device(EVRING_LIST_MUTEX);
  const Descriptor& node = list_.node;
  std::array<Input, EVRING_BASELINE_BATCH_MAX + 1> inputs{};
  Event event{};
  EXPECT_EQ(node.call(_IO(0xEB, 0x7f), nullptr), -ENOTTY);
  EXPECT_EQ(list_.inject(id_ + 1000, numbered(0)), -ENOENT);
  EXPECT_EQ(list_.get(id_ + 1000, &event), -ENOENT);
  EXPECT_EQ(list_.remove(id_ + 1000), -ENOENT);
  EXPECT_EQ(node.transfer(EVRING_LIST_IOC_INJECT, id_, inputs.data(), 0), -EINVAL);
  EXPECT_EQ(node.transfer(EVRING_LIST_IOC_INJECT, id_, inputs.data(), inputs.size()), -EINVAL);
  EXPECT_EQ(node.transfer(EVRING_LIST_IOC_INJECT, id_, nullptr, 1), -EFAULT);
  Input too_long = numbered(0);
  too_long.length_bytes = sizeof(too_long.word) + 1;
  EXPECT_EQ(list_.inject(id_, too_long), -EINVAL);
  EXPECT_EQ(list_.get(id_, &event), -EAGAIN);

  const evring_list_stats stats = list_.audit(id_);
  EXPECT_EQ(stats.injected + stats.delivered + stats.dropped + stats.length, 0u);
  EXPECT_EQ(corruptions(stats), 0u);
}

TEST_F(ListTest, NeedsTheRightDescriptor) {
  use_device(EVRING_LIST_MUTEX);
  const Descriptor reader{EVRING_LIST_PATH, O_RDONLY};
  const Descriptor writer{EVRING_LIST_PATH, O_WRONLY};
  Input input = numbered(0);
  Event event{};
  std::uint64_t id = id_;
  EXPECT_EQ(reader.transfer(EVRING_LIST_IOC_INJECT, id_, &input, 1), -EBADF);
  EXPECT_EQ(reader.call(EVRING_LIST_IOC_REMOVE, &id), -EBADF);
  EXPECT_EQ(writer.transfer(EVRING_LIST_IOC_GET, id_, &event, 1), -EBADF);
  EXPECT_EQ(writer.transfer(EVRING_LIST_IOC_INJECT, id_, &input, 1), 1);
  EXPECT_EQ(reader.transfer(EVRING_LIST_IOC_GET, id_, &event, 1), 1);
}

TEST_F(ListTest, DeliversInOrderOfInjection) {
  for (const std::uint32_t flags : {EVRING_LIST_MUTEX, EVRING_LIST_UNLOCKED}) {
    use_device(flags);
    for (std::uint64_t number = 0; number < 100; ++number) {
      ASSERT_EQ(list_.inject(id_, numbered(number)), 1);
    }
    for (std::uint64_t number = 0; number < 100; ++number) {
      Event event{};
      ASSERT_EQ(list_.get(id_, &event), 1);
      EXPECT_EQ(event.sequence, number);
      EXPECT_EQ(event.input.word[0], number);
      EXPECT_TRUE(intact(event.input));
      EXPECT_GT(event.timestamp_ns, 0u);
    }
    const evring_list_stats stats = list_.audit(id_);
    EXPECT_EQ(stats.flags, flags);
    EXPECT_EQ(corruptions(stats), 0u) << "one process alone breaks nothing";
    ASSERT_EQ(list_.remove(id_), 0);
    id_ = 0;
  }
}

TEST_F(ListTest, DropsNewEventsWhenFullAndCountsThem) {
  for (const std::uint32_t flags : {EVRING_LIST_MUTEX, EVRING_LIST_UNLOCKED}) {
    use_device(flags, 10);
    int accepted = 0;
    for (std::uint64_t number = 0; number < 15; ++number) {
      accepted += list_.inject(id_, numbered(number));
    }
    EXPECT_EQ(accepted, 10);
    Event event{};
    ASSERT_EQ(list_.get(id_, &event), 1);
    EXPECT_EQ(event.input.word[0], 0u) << "the oldest stays";
    const evring_list_stats stats = list_.audit(id_);
    EXPECT_EQ(stats.dropped, 5u);
    EXPECT_EQ(stats.injected, 10u);
    EXPECT_EQ(stats.length, 9u);
    EXPECT_EQ(corruptions(stats), 0u);
    ASSERT_EQ(list_.remove(id_), 0);
    id_ = 0;
  }
}

TEST_F(ListTest, CountsEventsTakenForABufferThatCannotBeWritten) {
  use_device(EVRING_LIST_MUTEX);
  ASSERT_EQ(list_.inject(id_, numbered(0)), 1);
  EXPECT_EQ(list_.node.transfer(EVRING_LIST_IOC_GET, id_, nullptr, 1), -EFAULT);
  const evring_list_stats stats = list_.audit(id_);
  EXPECT_EQ(stats.discarded, 1u);
  EXPECT_EQ(stats.injected, stats.delivered + stats.discarded + stats.length);
}

TEST_F(ListTest, KeepsTheBalanceUnderTenInjectors) {
  use_device(EVRING_LIST_MUTEX, 4096);
  Shared<Tally> tally;
  Crowd consumer(1,
                 [&](int, const Crowd::Stop& stop) { return get_until_empty(id_, stop, &*tally); });
  Crowd producers(10, [&](int producer, const Crowd::Stop& stop) {
    return inject_until_told(id_, producer, stop);
  });
  ::usleep(2'000'000);
  EXPECT_EQ(producers.stop(), 0);
  EXPECT_EQ(consumer.stop(), 0);

  const evring_list_stats stats = list_.audit(id_);
  EXPECT_GT(stats.injected, 1000u);
  EXPECT_EQ(stats.length, 0u);
  EXPECT_EQ(stats.injected, stats.delivered);
  EXPECT_EQ(stats.delivered, tally->received);
  EXPECT_EQ(tally->corrupt, 0u);
  EXPECT_EQ(tally->out_of_order, 0u);
  EXPECT_EQ(corruptions(stats), 0u) << "the mutex keeps the list whole";
}

struct Exchanged {
  std::atomic<std::uint64_t> injected{0};
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> corrupt{0};
};

/// Puts a batch on the list and takes one off, in turns: the list stays short, and its two
/// ends, where the locks would be, are where all the processes are most of the time.
int exchange_until_told(std::uint64_t device_id, int producer, const Crowd::Stop& stop,
                        Exchanged* total) {
  const Descriptor node{EVRING_LIST_PATH, O_RDWR};
  std::array<Input, EVRING_BASELINE_BATCH_MAX> inputs;
  std::array<Event, EVRING_BASELINE_BATCH_MAX> events;
  for (std::uint64_t number = 0; !stop; number += inputs.size()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      inputs[i] = numbered(number + i, static_cast<std::uint32_t>(producer));
    }
    const int put =
        node.transfer(EVRING_LIST_IOC_INJECT, device_id, inputs.data(), EVRING_BASELINE_BATCH_MAX);
    const int got =
        node.transfer(EVRING_LIST_IOC_GET, device_id, events.data(), EVRING_BASELINE_BATCH_MAX);
    if (put < 0 || (got < 0 && got != -EAGAIN && got != -EIO)) return 1;
    total->injected += static_cast<std::uint64_t>(put);
    for (int i = 0; i < got; ++i) {
      ++total->received;
      if (!intact(events[static_cast<std::size_t>(i)].input)) ++total->corrupt;
    }
  }
  return 0;
}

TEST_F(ListTest, IsFoundBrokenUnderTenProcessesWithoutItsMutex) {
  use_device(EVRING_LIST_UNLOCKED);
  Shared<Exchanged> total;
  Crowd processes(10, [&](int number, const Crowd::Stop& stop) {
    return exchange_until_told(id_, number, stop, &*total);
  });
  EXPECT_TRUE(wait_until(std::chrono::seconds(25), [&] {
    return corruptions(list_.stats(id_)) > 0;
  })) << "ten processes on two CPUs, and no corruption seen";
  ::usleep(500'000);  // and now live with it
  EXPECT_EQ(processes.stop(), 0);

  const evring_list_stats stats = list_.audit(id_);
  const std::uint64_t lost = stats.corrupt[EVRING_LIST_CORRUPT_LOST];
  EXPECT_EQ(stats.injected, total->injected);
  EXPECT_EQ(stats.delivered, total->received);
  EXPECT_EQ(stats.injected, stats.delivered + stats.discarded + stats.length + lost)
      << "links break, memory does not";
  EXPECT_EQ(total->corrupt, 0u) << "a node has one owner, lock or no lock";
  std::printf("%llu injected, %llu delivered, %llu lost, %llu findings\n", stats.injected,
              stats.delivered, static_cast<unsigned long long>(lost),
              static_cast<unsigned long long>(corruptions(stats)));
}

TEST_F(ListTest, StaysWholeUnderTenProcessesWithItsMutex) {
  use_device(EVRING_LIST_MUTEX);
  Shared<Exchanged> total;
  Crowd processes(10, [&](int number, const Crowd::Stop& stop) {
    return exchange_until_told(id_, number, stop, &*total);
  });
  ::usleep(2'000'000);
  EXPECT_EQ(processes.stop(), 0);

  const evring_list_stats stats = list_.audit(id_);
  EXPECT_EQ(corruptions(stats), 0u);
  EXPECT_EQ(stats.injected, total->injected);
  EXPECT_EQ(stats.delivered, total->received);
  EXPECT_EQ(stats.injected, stats.delivered + stats.length);
  EXPECT_EQ(total->corrupt, 0u);
  EXPECT_GT(stats.injected, 1000u);
}

TEST_F(ListTest, OutlivesDevicesThatComeAndGoUnderLoad) {
  Crowd users(4, [&](int number, const Crowd::Stop& stop) {
    const List own;
    Event event{};
    for (std::uint64_t round = 0; !stop; ++round) {
      evring_list_stats any{};
      if (own.node.call(EVRING_LIST_IOC_STATS, &any) != 0) continue;
      const int injected = own.inject(any.device_id, numbered(round));
      const int got = own.get(any.device_id, &event);
      if (injected < 0 && injected != -ENOENT) return 10 + number;
      if (got < 0 && got != -ENOENT && got != -EAGAIN) return 20 + number;
    }
    return 0;
  });
  for (int round = 0; round < 500; ++round) {
    std::uint64_t id = 0;
    ASSERT_EQ(list_.add("passing" + std::to_string(round % 8), EVRING_LIST_MUTEX, 64, &id), 0);
    ::usleep(200);
    ASSERT_EQ(list_.remove(id), 0);
  }
  EXPECT_EQ(users.stop(), 0);
  evring_list_stats none{};
  EXPECT_EQ(list_.node.call(EVRING_LIST_IOC_STATS, &none), -ENOENT);
}

/// Run with the module loaded with locking=none: the list of devices has no lock either.
TEST(UnlockedModuleTest, SurvivesDevicesThatComeAndGoInTenProcesses) {
  Crowd users(10, [&](int number, const Crowd::Stop& stop) {
    const List own;
    Event event{};
    for (std::uint64_t round = 0; !stop; ++round) {
      std::uint64_t id = 0;
      const int added = own.add("p" + std::to_string(number), 0, 16, &id);
      if (added == 0) {
        own.inject(id, numbered(round));
        own.get(id, &event);
        own.remove(id);  // may have been lost from the list meanwhile
      } else if (added != -ENOSPC && added != -EEXIST && added != -EIO) {
        return 1;
      }
    }
    return 0;
  });
  ::usleep(3'000'000);
  EXPECT_EQ(users.stop(), 0);

  const List list;
  evring_list_stats any{};
  const int audited = list.node.call(EVRING_LIST_IOC_AUDIT, &any);
  EXPECT_TRUE(audited == 0 || audited == -ENOENT) << audited;
  std::uint64_t id = 0;
  ASSERT_EQ(list.add("afterwards", 0, 16, &id), 0) << "an audit at rest mends the list";
  const evring_list_stats stats = list.stats(id);
  EXPECT_EQ(stats.flags, EVRING_LIST_UNLOCKED);
  EXPECT_GT(corruptions(stats), 0u);
  EXPECT_EQ(list.inject(id, numbered(0)), 1);
  Event event{};
  EXPECT_EQ(list.get(id, &event), 1);
  EXPECT_EQ(list.remove(id), 0);
}

}  // namespace
}  // namespace evring::baseline_test
