// SPDX-License-Identifier: MIT
// A member of a group in a program of its own: joins by name, says so, reads until its
// input ends and nothing is left, and prints what it received and the sum of it.
// usage: group_worker RING GROUP
#include <evring/group_member.hpp>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <span>

int main(int count, char** words) {
  if (count != 3) return 2;
  try {
    evring::GroupMember<evring::DefaultSlot> member(
        evring::Group::attach_local(words[1], words[2]));
    std::puts("joined");
    std::fflush(stdout);
    std::uint64_t sum = 0;
    std::array<evring::Event, 8> events;
    bool has_input = true;
    for (;;) {
      const evring::Burst burst = member.read_burst(std::span<evring::Event>(events));
      for (const auto& event : std::span(events).first(burst.count)) {
        sum += event.get<std::uint64_t>();
      }
      if (burst.status != evring::ReadStatus::kEmpty) continue;
      if (!has_input) break;  // ... when this burst was asked for
      pollfd input{STDIN_FILENO, POLLIN, 0};
      has_input = ::poll(&input, 1, 1) == 0;
    }
    std::printf("%llu %llu %llu\n", static_cast<unsigned long long>(member.received()),
                static_cast<unsigned long long>(member.lost()),
                static_cast<unsigned long long>(sum));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
