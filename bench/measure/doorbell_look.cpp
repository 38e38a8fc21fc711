// SPDX-License-Identifier: MIT
// Two producers, each on a ring of its own, in turns.
#include <bench/measure/doorbell_look.hpp>

#include <bench/measure/pattern.hpp>
#include <bench/measure/statistics.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <cstdint>
#include <vector>

namespace evring::bench {
namespace {

using Layout = BareSlot64;

template <bool kDoorbells>
class Publishing {
 public:
  explicit Publishing(const DoorbellLookOptions& options)
      : ring_(LocalRing::anonymous({.slot_count = options.slot_count, .slot = slot_of<Layout>()})),
        registration_(ring_.register_consumer()),
        producer_(ring_),
        events_(options.burst_count) {}

  /// Publishes for a turn. @return ns an event.
  double turn(std::chrono::microseconds length) {
    const Clock::time_point begin = Clock::now();
    const std::uint64_t first = next_;
    while (Clock::now() - begin < length) {
      for (int i = 0; i < kCallsPerClockLook; ++i) publish();
    }
    const double seconds = seconds_between(begin, Clock::now());
    return seconds * 1e9 / static_cast<double>(next_ - first);
  }

  bool exact() const noexcept {
    return producer_.published() == next_ && producer_.doorbells_rung() == 0;
  }

 private:
  static constexpr int kCallsPerClockLook = 256;

  void publish() noexcept {
    if (events_.size() == 1) {
      events_[0].set(source_(next_++));
      producer_.publish(events_[0]);
      return;
    }
    for (BasicEvent<Layout>& event : events_) event.set(source_(next_++));
    producer_.publish_batch(events_);
  }

  LocalRing ring_;
  Registration registration_;
  BasicProducer<Layout, NoHook, kDoorbells> producer_;
  PatternSource<56> source_;
  std::vector<BasicEvent<Layout>> events_;
  std::uint64_t next_ = 0;
};

}  // namespace

DoorbellLookResult run_doorbell_look(const DoorbellLookOptions& options) {
  options.placement.enter(0);
  Publishing<true> looking(options);
  Publishing<false> silent(options);
  looking.turn(options.turn);  // touches its pages
  silent.turn(options.turn);
  std::vector<double> with;
  std::vector<double> without;
  std::vector<double> ratios;
  for (unsigned i = 0; i < options.turn_count; ++i) {
    const bool looks_first = i % 2 == 0;
    if (looks_first) with.push_back(looking.turn(options.turn));
    without.push_back(silent.turn(options.turn));
    if (!looks_first) with.push_back(looking.turn(options.turn));
    ratios.push_back(with.back() / without.back());
  }
  return {.looking_ns = median(with),
          .silent_ns = median(without),
          .ratio = median(ratios),
          .exact = looking.exact() && silent.exact()};
}

}  // namespace evring::bench
