// SPDX-License-Identifier: MIT
// The cases of `evring bench`: anonymous local rings of 64-byte slots, 40-byte
// payloads. One round each per call, on fresh rings.
#include <atomic>
#include <chrono>
#include <evring/consumer.hpp>
#include <evring/poller/cpu_list.hpp>
#include <evring/poller/parker.hpp>
#include <evring/producer.hpp>
#include <stdexcept>
#include <thread>

#include "cli/bench/bench.hpp"
#include "cli/bench/mutex_list.hpp"

namespace evring::cli {
namespace {

using Clock = std::chrono::steady_clock;

LocalRing make_ring(const BenchPlan& plan, Mode mode = Mode::kOverwrite) {
  LocalRingOptions options;
  options.slot_count = plan.slot_count;
  options.mode = mode;
  options.name = "bench";
  options.huge_pages = plan.huge_pages;
  return LocalRing::anonymous(options);
}

double elapsed_ns(Clock::time_point since) {
  return std::chrono::duration<double, std::nano>(Clock::now() - since).count();
}

void expect(std::uint64_t found, std::uint64_t wanted) {
  if (found != wanted) {
    throw std::runtime_error("bench: event " + std::to_string(wanted) + " held " +
                             std::to_string(found));
  }
}

/// Calls `chunk()` (which returns how many events it did) for a round; ns an event.
template <class Chunk>
double ns_per_event(const BenchPlan& plan, Chunk&& chunk) {
  const auto begin = Clock::now();
  std::uint64_t count = 0;
  double ns = 0;
  do {
    for (int i = 0; i < 16; ++i) count += chunk();
    ns = elapsed_ns(begin);
  } while (ns < plan.round_s * 1e9);
  return ns / static_cast<double>(count);
}

double publish_one(const BenchPlan& plan) {
  Producer producer(make_ring(plan));
  Event event{};
  std::uint64_t number = 0;
  return ns_per_event(plan, [&] {
    for (int i = 0; i < 256; ++i) {
      event.set(number++);
      producer.publish(event);
    }
    return 256;
  });
}

double publish_batch(const BenchPlan& plan) {
  Producer producer(make_ring(plan));
  std::vector<Event> events(plan.batch_count);
  std::uint64_t number = 0;
  return ns_per_event(plan, [&] {
    for (Event& event : events) event.set(number++);
    return producer.publish_batch(events);
  });
}

/// Reads a filled ring again and again; each pass has a consumer of its own.
template <class ReadAll>
double read_filled(const BenchPlan& plan, ReadAll&& read_all) {
  const LocalRing ring = make_ring(plan);
  Producer producer(ring);
  Event event{};
  for (std::uint64_t i = 0; i < plan.slot_count; ++i) {
    event.set(i);
    producer.publish(event);
  }
  const Mapping mapping = ring.mapping();
  return ns_per_event(plan, [&] {
    Consumer consumer(mapping, StartAt::kOldest);
    read_all(consumer);
    expect(consumer.received(), plan.slot_count);
    return plan.slot_count;
  });
}

double read_one(const BenchPlan& plan) {
  return read_filled(plan, [](Consumer& consumer) {
    Event event{};
    for (std::uint64_t i = 0; consumer.try_read(event) == ReadStatus::kEvent; ++i) {
      expect(event.get<std::uint64_t>(), i);
    }
  });
}

double read_burst(const BenchPlan& plan) {
  std::vector<Event> events(plan.batch_count);
  return read_filled(plan, [&](Consumer& consumer) {
    std::uint64_t number = 0;
    for (Burst burst = consumer.read_burst(events); burst.count != 0;
         burst = consumer.read_burst(events)) {
      for (std::size_t i = 0; i < burst.count; ++i) {
        expect(events[i].get<std::uint64_t>(), number++);
      }
    }
  });
}

double same_thread(const BenchPlan& plan) {
  const LocalRing ring = make_ring(plan);
  Producer producer(ring);
  Consumer consumer(ring.mapping(), StartAt::kNewest);
  Event in{};
  Event out{};
  std::uint64_t number = 0;
  return ns_per_event(plan, [&] {
    for (int i = 0; i < 256; ++i, ++number) {
      in.set(number);
      producer.publish(in);
      if (consumer.try_read(out) != ReadStatus::kEvent) expect(0, number);
      expect(out.get<std::uint64_t>(), number);
    }
    return 256;
  });
}

/// One producer to one consumer on another CPU, nothing lost: M events a second delivered.
/// @param publish    publishes a batch; waits while there is no room.
/// @param make_take  called in the consumer's thread: what takes up to a batch and says how many.
template <class Publish, class MakeTake>
double stream(const BenchPlan& plan, Publish&& publish, MakeTake&& make_take) {
  std::atomic<bool> failed{false};
  std::jthread reader([&](const std::stop_token& stop) {
    pin_this_thread(*plan.second_cpu);
    auto take = make_take();
    std::vector<Event> events(plan.batch_count);
    std::uint64_t number = 0;
    for (;;) {
      const bool last = stop.stop_requested();
      const std::size_t count = take(events);
      for (std::size_t i = 0; i < count; ++i) {
        if (events[i].get<std::uint64_t>() != number++) failed = true;
      }
      if (count == 0 && last) return;
    }
  });
  std::vector<Event> events(plan.batch_count);
  std::uint64_t number = 0;
  const auto begin = Clock::now();
  while (elapsed_ns(begin) < plan.round_s * 1e9) {
    for (int i = 0; i < 64; ++i) {
      for (Event& event : events) event.set(number++);
      publish(events);
    }
  }
  reader.request_stop();
  reader.join();
  const double ns = elapsed_ns(begin);
  if (failed) throw std::runtime_error("bench: a streamed event was wrong");
  return static_cast<double>(number) / ns * 1e3;
}

/// A gated ring: its producer waits, so published is delivered.
double stream_ring(const BenchPlan& plan) {
  LocalRing ring = make_ring(plan, Mode::kGated);
  Registration registration = ring.register_consumer(StartAt::kOldest);
  Producer producer(ring, WhenFull::kWait);
  return stream(
      plan, [&](std::span<const Event> events) { producer.publish_batch(events); },
      [&] {
        return [consumer = GatedConsumer(ring.mapping(), std::move(registration))](
                   std::span<Event> out) mutable { return consumer.read_burst(out).count; };
      });
}

double stream_list(const BenchPlan& plan) {
  MutexList<Event> list(plan.slot_count);
  const auto put = [&list](std::span<const Event> events) {
    while (!events.empty()) {
      const std::size_t count = list.push(events.data(), events.size());
      if (count == 0) std::this_thread::yield();
      events = events.subspan(count);
    }
  };
  const auto take = [&list](std::span<Event> out) {
    const std::size_t count = list.pop(out.data(), out.size());
    if (count == 0) std::this_thread::yield();
    return count;
  };
  return stream(plan, put, [&take] { return take; });
}

/// @return false when stopped before one came.
bool await_event(ConsumerCore<DefaultSlot>& consumer, Event& event, const std::stop_token& stop) {
  while (consumer.try_read(event) != ReadStatus::kEvent) {
    if (stop.stop_requested()) return false;
    cpu_relax();
  }
  return true;
}

/// Half of a round trip over two rings, both sides spinning.
double ping_pong(const BenchPlan& plan) {
  const LocalRing there = make_ring(plan);
  const LocalRing back = make_ring(plan);
  std::jthread echo([&](const std::stop_token& stop) {
    pin_this_thread(*plan.second_cpu);
    Consumer consumer(there.mapping(), StartAt::kOldest);
    Producer producer(back);
    Event event{};
    while (await_event(consumer, event, stop)) producer.publish(event);
  });
  Producer producer(there);
  Consumer consumer(back.mapping(), StartAt::kOldest);
  Event event{};
  std::uint64_t number = 0;
  const double ns = ns_per_event(plan, [&] {
    for (int i = 0; i < 16; ++i, ++number) {
      event.set(number);
      producer.publish(event);
      await_event(consumer, event, std::stop_token{});
      expect(event.get<std::uint64_t>(), number);
    }
    return 16;
  });
  return ns / 2;
}

/// From publishing to the event in the hands of a consumer that slept, on average.
double wake_up(const BenchPlan& plan) {
  const LocalRing ring = make_ring(plan);
  std::atomic<std::uint64_t> taken{0};
  std::atomic<double> total_ns{0};
  std::jthread sleeper([&](const std::stop_token& stop) {
    pin_this_thread(*plan.second_cpu);
    RingLink link = RingLink::of(ring, {.start_at = StartAt::kOldest});
    auto consumer = link.make_consumer<DefaultSlot>();
    RungChoice choice;
    const auto parker = Parker::make(Rung::kUringCommand);
    parker->watch(0, link, choice);
    std::vector<Wake> wakes;
    Event event{};
    while (!stop.stop_requested()) {
      if (consumer.try_read(event) == ReadStatus::kEvent) {
        total_ns = total_ns + elapsed_ns(event.get<Clock::time_point>());
        ++taken;
      } else if (parker->arm(0, {.max_idle = std::chrono::milliseconds(10)}, consumer.cursor()) ==
                 ArmResult::kArmed) {
        wakes.clear();
        parker->wait(std::chrono::milliseconds(10), wakes);
        if (wakes.empty()) parker->disarm(0);
      }
    }
    parker->forget(0);
  });
  Producer producer(ring);
  Event event{};
  const auto begin = Clock::now();
  std::uint64_t sent = 0;
  while (elapsed_ns(begin) < plan.round_s * 1e9 || taken < sent) {
    if (taken == sent) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      event.set(Clock::now());
      producer.publish(event);
      ++sent;
    }
  }
  return total_ns / static_cast<double>(sent);
}

}  // namespace

std::vector<BenchCase> bench_cases() {
  return {{"publish", "publish one event, nobody reads", "ns/event", false, publish_one},
          {"publish-batch", "publish in batches", "ns/event", false, publish_batch},
          {"read", "read one event at a time", "ns/event", false, read_one},
          {"read-burst", "read in bursts", "ns/event", false, read_burst},
          {"same-thread", "publish and read on one thread", "ns/event", false, same_thread},
          {"stream", "one producer to one consumer, nothing lost", "M events/s", true, stream_ring},
          {"stream-list", "the same through a list and a mutex, to compare", "M events/s", true,
           stream_list},
          {"ping-pong", "one way, both sides spinning", "ns", true, ping_pong},
          {"wake-up", "one way to a parked consumer", "ns", true, wake_up}};
}

}  // namespace evring::cli
