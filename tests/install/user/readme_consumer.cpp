// SPDX-License-Identifier: MIT
// The first snippet of README.md: what is below is what stands there, to the letter.
#include <evring/poller/poller.hpp>
#include <iostream>

int main() {
  evring::PollerOptions options;
  options.on_overrun = [](unsigned, std::uint64_t lost) { std::cout << "lost " << lost << '\n'; };
  evring::Poller poller(options);                      // polls, and parks when nothing comes
  poller.add(evring::PollSource::open("local:demo"));  // or a device of evring.ko: "soft0"
  poller.run({}, [](unsigned, std::span<const evring::Event> events) {  // until the ring is gone
    for (const evring::Event& event : events)
      std::cout << event.sequence << ": " << event.get<std::uint64_t>() << '\n';
  });
}
