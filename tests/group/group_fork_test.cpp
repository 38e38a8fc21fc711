// SPDX-License-Identifier: MIT
// Groups and forks: who is a member, and whose the group's seat is, when a process has
// copied what it holds.
#include <array>
#include <span>
#include <system_error>

#include "group_support.hpp"

namespace evring {
namespace {

using namespace group_test;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  void tell(char what) const { EXPECT_EQ(::write(ends_[1], &what, 1), 1); }
  char hear() const {
    char what = 0;
    EXPECT_EQ(::read(ends_[0], &what, 1), 1);
    return what;
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(GroupForkTest, AForkDoesNotKeepADeadMemberAlive) {
  LocalRing ring = make_ring(16);
  Producer producer(ring);
  const Group group = Group::create(ring);
  publish(producer, 4);
  const Pipe up;
  const Pipe down;
  run_child([&] {
    auto* member = new Member(group);
    std::array<Event, 4> events;
    member->read_burst(std::span<Event>(events));
    if (::fork() != 0) ::_exit(0);
    up.tell('r');  // fork() has returned here, handlers and all
    down.hear();
    ::_exit(0);  // ends none that is its parent's
  });
  ASSERT_EQ(up.hear(), 'r');
  EXPECT_EQ(group.dead_count(), 1u);
  EXPECT_TRUE(Recovery::begin(group).has_value());
  down.tell('e');
}

LocalRing ring_of_one_seat() {
  return LocalRing::anonymous({.slot_count = 64, .mode = Mode::kGated, .registered_count_max = 1});
}

// Or the seat goes to somebody else, whose cursor the member moves.
TEST(GroupForkTest, AGatedGroupKeepsItsSeatWhileAForkedMemberLives) {
  LocalRing ring = ring_of_one_seat();
  const Pipe up;
  const Pipe joined;
  const Pipe down;
  run_child([&] {
    const Group group = Group::create(ring);
    if (::fork() != 0) {
      joined.hear();
      ::_exit(0);
    }
    {
      Member member(group);
      joined.tell('j');
      down.hear();
      std::array<Event, 64> events;
      up.tell(member.read_burst(std::span<Event>(events)).count == 64 ? 'r' : 'n');
    }
    up.tell('l');
  });
  EXPECT_THROW(static_cast<void>(ring.register_consumer()), std::system_error)
      << "the seat is the group's";
  Producer producer(ring, WhenFull::kRefuse);
  publish(producer, 200);
  EXPECT_EQ(producer.published(), 64u) << "gated";
  down.tell('r');
  EXPECT_EQ(up.hear(), 'r');
  ASSERT_EQ(up.hear(), 'l');
  EXPECT_EQ(ring.registered_count(), 0u);
}

TEST(GroupForkTest, AForkedChildDoesNotJoinWhenTheSeatIsSomebodyElses) {
  LocalRing ring = ring_of_one_seat();
  const Pipe up;
  const Pipe down;
  run_child([&] {
    const Group group = Group::create(ring);
    if (::fork() != 0) ::_exit(0);
    up.tell('r');  // fork() has returned here: the lease of the dead is let go
    down.hear();
    try {
      const Member member(group);
      up.tell('j');
    } catch (const std::system_error& error) {
      up.tell(error.code().value() == EOWNERDEAD ? 'd' : 'o');
    }
    ::_exit(0);
  });
  ASSERT_EQ(up.hear(), 'r');
  const Registration next = ring.register_consumer();
  down.tell('g');
  EXPECT_EQ(up.hear(), 'd');
}

}  // namespace
}  // namespace evring
