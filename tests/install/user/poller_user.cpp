// SPDX-License-Identifier: MIT
// A user of the poller: a parked thread is woken for each event and takes it.
#include <evring/local_ring.hpp>
#include <evring/poller/cpu_list.hpp>
#include <evring/poller/poller.hpp>
#include <evring/producer.hpp>

#include <chrono>
#include <span>
#include <stop_token>
#include <thread>

int main() {
  constexpr int kEventCount = 100;
  evring::pin_this_thread(evring::allowed_cpus().front());
  const evring::LocalRing ring = evring::LocalRing::anonymous();
  evring::PollerOptions options;
  options.strategy = evring::WaitStrategy::kPark;
  evring::Poller poller(options);
  poller.add(evring::PollSource::of(ring, {.start_at = evring::StartAt::kOldest}));

  const std::jthread publisher([&ring] {
    evring::Producer producer(ring);
    for (int i = 0; i < kEventCount; ++i) {
      evring::Event event;
      event.set(i);
      producer.publish(event);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  std::stop_source stop;
  int expected = 0;
  poller.run(stop.get_token(), [&](unsigned, std::span<const evring::Event> events) {
    for (const evring::Event& event : events) expected += event.get<int>() == expected ? 1 : 0;
    if (poller.counters().events >= kEventCount) stop.request_stop();
  });
  return expected == kEventCount && poller.consumer(0).balance().balanced() ? 0 : 1;
}
