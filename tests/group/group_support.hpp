// SPDX-License-Identifier: MIT
// What the tests of groups have in common: numbered events, children, and a record of
// how often each event was handed out.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <evring/group_member.hpp>
#include <evring/producer.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <system_error>

namespace evring::group_test {

inline constexpr std::uint64_t kNear2To58 = (1ULL << 58) - 100;
inline constexpr std::uint64_t kNear2To63 = (1ULL << 63) - 100;
inline constexpr std::uint64_t kNear2To64 = ~0ULL - 100;

using Member = GroupMember<DefaultSlot>;
using Recovery = GroupRecovery<DefaultSlot>;

inline Event event_numbered(std::uint64_t number) {
  Event event{};
  event.set(number);
  return event;
}

inline void publish(Producer& producer, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i)
    producer.publish(event_numbered(producer.next_sequence()));
}

inline LocalRing make_ring(std::uint64_t slot_count, Mode mode = Mode::kOverwrite,
                           std::uint64_t first_sequence = 0) {
  return LocalRing::anonymous(
      {.slot_count = slot_count, .mode = mode, .first_sequence = first_sequence});
}

/// How often each event was handed out, shared with forked children.
class Deliveries {
 public:
  Deliveries(std::uint64_t first, std::size_t count) : first_(first), count_(count) {
    void* memory =
        ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    words_ = static_cast<std::uint64_t*>(memory);
  }
  Deliveries(const Deliveries&) = delete;
  Deliveries& operator=(const Deliveries&) = delete;
  ~Deliveries() { ::munmap(words_, bytes()); }

  void note(const Event& event) noexcept {
    note(event.sequence, event.get<std::uint64_t>() == event.sequence);
  }
  /// What is torn, or from nowhere, is wrong().
  void note(std::uint64_t sequence, bool is_whole) noexcept {
    const std::uint64_t at = sequence - first_;
    fetch_add(words_ + (is_whole && at < count_ ? at : count_), 1);
  }
  std::uint64_t wrong() const noexcept { return load_relaxed(words_ + count_); }
  /// How many events were handed out `times` times.
  std::uint64_t delivered(std::uint64_t times) const noexcept {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < count_; ++i) found += load_relaxed(words_ + i) == times ? 1 : 0;
    return found;
  }
  /// A word for the test's own use.
  std::uint64_t* flag() noexcept { return words_ + count_ + 1; }

 private:
  std::size_t bytes() const noexcept { return (count_ + 2) * sizeof(std::uint64_t); }
  std::uint64_t first_;
  std::size_t count_;
  std::uint64_t* words_ = nullptr;
};

/// Runs `body` in a child. @return its wait status.
inline int run_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// A process that has joined `group`, and is killed with a burst of up to kCount in hand.
template <std::size_t kCount>
void die_in_the_middle(const Group& group) {
  run_child([&] {
    auto* member = new Member(group);
    std::array<Event, kCount> events;
    member->read_burst(std::span<Event>(events));
    ::kill(::getpid(), SIGKILL);
  });
}

inline void expect_balanced(const Group& group) {
  const std::optional<GroupBalance> balance = group.balance();
  ASSERT_TRUE(balance.has_value());
  EXPECT_TRUE(balance->balanced())
      << "received " << balance->received << " lost " << balance->lost << " held " << balance->held
      << " of " << balance->claim - balance->start;
}

}  // namespace evring::group_test
