// SPDX-License-Identifier: MIT
// evring_kfifo.ko in a guest: each reader gets each event or has it counted as lost, and
// no reader's slowness shows in another's counts.
#include <poll.h>

#include "support.hpp"

namespace evring::baseline_test {
namespace {

int inject(const Descriptor& writer, Input input) {
  return writer.transfer(EVRING_KFIFO_IOC_INJECT, 0, &input, 1);
}

evring_kfifo_stats stats_of(const Descriptor& node) {
  evring_kfifo_stats stats{};
  EXPECT_EQ(node.call(EVRING_KFIFO_IOC_STATS, &stats), 0);
  return stats;
}

void expect_balance(const evring_kfifo_stats& stats) {
  EXPECT_EQ(stats.received + stats.lost + stats.queued, stats.next_sequence - stats.start_sequence);
}

/// @return events read, 0 when there are none now.
std::size_t read_some(const Descriptor& reader, std::vector<Event>* events) {
  const ssize_t bytes = ::read(reader.fd(), events->data(), events->size() * sizeof(Event));
  if (bytes < 0) {
    EXPECT_EQ(errno, EAGAIN);
    return 0;
  }
  EXPECT_EQ(static_cast<std::size_t>(bytes) % sizeof(Event), 0u);
  return static_cast<std::size_t>(bytes) / sizeof(Event);
}

TEST(KfifoTest, RefusesBadCallsAndChangesNothing) {
  const Descriptor reader{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  const Descriptor writer{EVRING_KFIFO_PATH, O_WRONLY};
  const std::uint64_t before = stats_of(reader).next_sequence;
  std::array<Input, EVRING_BASELINE_BATCH_MAX + 1> inputs{};
  EXPECT_EQ(writer.call(_IO(0xEB, 0x7f), nullptr), -ENOTTY);
  EXPECT_EQ(reader.transfer(EVRING_KFIFO_IOC_INJECT, 0, inputs.data(), 1), -EBADF);
  EXPECT_EQ(writer.transfer(EVRING_KFIFO_IOC_INJECT, 1, inputs.data(), 1), -EINVAL);
  EXPECT_EQ(writer.transfer(EVRING_KFIFO_IOC_INJECT, 0, inputs.data(), 0), -EINVAL);
  EXPECT_EQ(writer.transfer(EVRING_KFIFO_IOC_INJECT, 0, inputs.data(), inputs.size()), -EINVAL);
  EXPECT_EQ(writer.transfer(EVRING_KFIFO_IOC_INJECT, 0, nullptr, 1), -EFAULT);
  Input too_long = numbered(0);
  too_long.length_bytes = sizeof(too_long.word) + 1;
  EXPECT_EQ(inject(writer, too_long), -EINVAL);

  std::array<char, sizeof(Event)> buffer{};
  EXPECT_EQ(::read(reader.fd(), buffer.data(), sizeof(Event) - 1), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(::read(reader.fd(), buffer.data(), sizeof(Event)), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(::read(writer.fd(), buffer.data(), sizeof(Event)), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(stats_of(reader).next_sequence, before);
}

TEST(KfifoTest, GivesEachReaderEachEventInOrder) {
  const Descriptor first{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  const Descriptor second{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  const Descriptor writer{EVRING_KFIFO_PATH, O_WRONLY};
  for (std::uint64_t number = 0; number < 100; ++number) {
    ASSERT_EQ(inject(writer, numbered(number)), 1);
  }
  std::vector<Event> events(200);
  for (const Descriptor* reader : {&first, &second}) {
    ASSERT_EQ(read_some(*reader, &events), 100u);
    for (std::uint64_t number = 0; number < 100; ++number) {
      EXPECT_EQ(events[number].sequence, stats_of(*reader).start_sequence + number);
      EXPECT_EQ(events[number].input.word[0], number);
      EXPECT_TRUE(intact(events[number].input));
    }
    expect_balance(stats_of(*reader));
  }
  EXPECT_EQ(stats_of(first).reader_count, 2u);
}

TEST(KfifoTest, CountsOverflowForTheReaderThatWasSlow) {
  const Descriptor slow{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  const Descriptor quick{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  const Descriptor writer{EVRING_KFIFO_PATH, O_WRONLY};
  const std::uint64_t capacity = stats_of(slow).capacity;
  std::vector<Event> events(64);
  std::uint64_t quick_received = 0;
  for (std::uint64_t number = 0; number < capacity + 100; ++number) {
    ASSERT_EQ(inject(writer, numbered(number)), 1);
    quick_received += read_some(quick, &events);
  }
  const evring_kfifo_stats of_slow = stats_of(slow);
  EXPECT_EQ(of_slow.lost, 100u);
  EXPECT_EQ(of_slow.queued, capacity);
  expect_balance(of_slow);
  EXPECT_EQ(stats_of(quick).lost, 0u);
  EXPECT_EQ(quick_received, capacity + 100);
  EXPECT_EQ(stats_of(quick).received, quick_received);

  ASSERT_EQ(read_some(slow, &events), events.size());
  EXPECT_EQ(events[0].input.word[0], 0u) << "the new events are lost, not the old ones";
  expect_balance(stats_of(slow));
}

TEST(KfifoTest, StartsALateReaderAtTheNextEvent) {
  const Descriptor writer{EVRING_KFIFO_PATH, O_WRONLY};
  ASSERT_EQ(inject(writer, numbered(1)), 1);
  const Descriptor late{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  ASSERT_EQ(inject(writer, numbered(2)), 1);
  std::vector<Event> events(8);
  ASSERT_EQ(read_some(late, &events), 1u);
  EXPECT_EQ(events[0].input.word[0], 2u);
  EXPECT_EQ(events[0].sequence, stats_of(late).start_sequence);
}

TEST(KfifoTest, WakesAReaderThatSleeps) {
  const Descriptor polled{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  pollfd request{.fd = polled.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&request, 1, 0), 0);
  Crowd sleeper(1, [](int, const Crowd::Stop&) {
    const Descriptor reader{EVRING_KFIFO_PATH, O_RDONLY};
    Event event{};
    return ::read(reader.fd(), &event, sizeof(event)) == sizeof(event) && intact(event.input) ? 0
                                                                                              : 1;
  });
  const Descriptor writer{EVRING_KFIFO_PATH, O_WRONLY};
  ASSERT_TRUE(
      wait_until(std::chrono::seconds(5), [&] { return stats_of(polled).reader_count == 2; }));
  ASSERT_EQ(inject(writer, numbered(0)), 1);
  EXPECT_EQ(sleeper.stop(), 0);
  EXPECT_EQ(::poll(&request, 1, 0), 1);
  EXPECT_EQ(request.revents & POLLIN, POLLIN);
}

TEST(KfifoTest, KeepsTheBalanceUnderTenInjectors) {
  const Descriptor reader{EVRING_KFIFO_PATH, O_RDONLY | O_NONBLOCK};
  Shared<std::array<std::atomic<std::uint64_t>, 10>> injected;
  Crowd producers(10, [&](int producer, const Crowd::Stop& stop) {
    const Descriptor own{EVRING_KFIFO_PATH, O_WRONLY};
    for (std::uint64_t number = 0; !stop; ++number) {
      if (inject(own, numbered(number, static_cast<std::uint32_t>(producer))) != 1) return 1;
      ++(*injected)[static_cast<std::size_t>(producer)];
    }
    return 0;
  });
  Tally tally;
  std::vector<Event> events(64);
  const auto drain = [&] {
    const std::size_t count = read_some(reader, &events);
    for (std::size_t i = 0; i < count; ++i) tally.take(events[i]);
    return count;
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < end) drain();
  EXPECT_EQ(producers.stop(), 0);
  while (drain() > 0) {
  }
  std::uint64_t offered = 0;
  for (const auto& count : *injected) offered += count;
  const evring_kfifo_stats stats = stats_of(reader);
  expect_balance(stats);
  EXPECT_EQ(stats.next_sequence - stats.start_sequence, offered);
  EXPECT_EQ(stats.received, tally.received);
  EXPECT_EQ(tally.received + stats.lost, offered);
  EXPECT_EQ(tally.corrupt, 0u);
  EXPECT_EQ(tally.out_of_order, 0u);
  EXPECT_GT(tally.received, 1000u);
}

}  // namespace
}  // namespace evring::baseline_test
