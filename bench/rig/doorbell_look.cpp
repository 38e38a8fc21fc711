// SPDX-License-Identifier: MIT
// "doorbell-look": what the look at who is armed costs a producer: the same loop with doorbells
// and with doorbells compiled out, A B A B in one process. Nobody reads, and a consumer is
// registered that is not armed: it spins, or would.
#include <bench/contenders/evring.hpp>
#include <bench/rig/clock.hpp>
#include <bench/rig/loops.hpp>
#include <bench/rig/threads.hpp>

#include <cstdint>
#include <vector>

namespace evring::bench {
namespace {

using Layout = BareSlot64;

template <bool kDoorbells>
class Publishing {
 public:
  explicit Publishing(const Case& one)
      : ring_(LocalRing::anonymous({.slot_count = one.slot_count, .slot = slot_of<Layout>()})),
        registration_(ring_.register_consumer()),
        producer_(ring_),
        burst_count_(one.burst_count) {}

  /// Publishes for a millisecond. @return ns an event.
  double turn() {
    const Clock::time_point begin = Clock::now();
    const std::uint64_t first = next_;
    while (Clock::now() - begin < std::chrono::milliseconds(1)) {
      for (int i = 0; i < kCallsPerClockLook; ++i) {
        next_ += producer_.offer(next_, burst_count_, source_);
      }
    }
    return seconds_between(begin, Clock::now()) * 1e9 / static_cast<double>(next_ - first);
  }

  bool exact() const noexcept {
    return producer_.published() == next_ && producer_.doorbells_rung() == 0;
  }

 private:
  static constexpr int kCallsPerClockLook = 256;

  LocalRing ring_;
  Registration registration_;
  EvringProducer<Layout, 56, Access::kCopy, kDoorbells> producer_;
  PatternSource<56> source_;
  const std::size_t burst_count_;
  std::uint64_t next_ = 0;
};

}  // namespace

Record doorbell_look(const Case& one) {
  constexpr unsigned kTurns = 40;
  Placement::of(one).enter(0);
  Publishing<true> looking(one);
  Publishing<false> silent(one);
  looking.turn();  // touches its pages
  silent.turn();
  std::vector<double> with;
  std::vector<double> without;
  std::vector<double> ratios;
  for (unsigned i = 0; i < kTurns; ++i) {
    const bool looks_first = i % 2 == 0;
    if (looks_first) with.push_back(looking.turn());
    without.push_back(silent.turn());
    if (!looks_first) with.push_back(looking.turn());
    ratios.push_back(with.back() / without.back());
  }
  return {{"value", median(ratios)},
          {"unit", "ratio"},
          {"exact", looking.exact() && silent.exact()},
          {"looking_ns", median(with)},
          {"silent_ns", median(without)}};
}

}  // namespace evring::bench
