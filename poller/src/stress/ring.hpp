// SPDX-License-Identifier: MIT
// What a stress run needs of its rings and producers, so that local rings and
// kernel devices run through the same consumers and the same check.
#pragma once

#include <evring/consumer.hpp>
#include <evring/poller/source.hpp>
#include <memory>
#include <string>
#include <vector>

#include "stress/report.hpp"

namespace evring::stress {

/// A ring under stress; join() from any thread.
class StressRing {
 public:
  StressRing() = default;
  StressRing(const StressRing&) = delete;
  StressRing& operator=(const StressRing&) = delete;
  virtual ~StressRing() = default;

  virtual const std::string& name() const noexcept = 0;
  virtual Mapping mapping() const = 0;
  /// @throws std::system_error when there is no place left.
  virtual RingLink join(const LinkOptions& options) = 0;
  /// Fills in what the ring itself says about drops and its lock. After the
  /// producers have ended.
  virtual void read_counts(RingReport& report) const = 0;
};

/// All producers of a run: they wait for start(), and end by stop().
class ProducerGroup {
 public:
  ProducerGroup() = default;
  ProducerGroup(const ProducerGroup&) = delete;
  ProducerGroup& operator=(const ProducerGroup&) = delete;
  virtual ~ProducerGroup() = default;

  virtual void start() = 0;
  /// Returns when the last event is published. Appends what went wrong.
  virtual void stop(std::vector<std::string>& problems) = 0;
  /// What each producer did at `ring`; after stop().
  virtual std::vector<ProducerTally> tallies(std::size_t ring) const = 0;
};

/// Which rings a producer serves: producers share a ring when there are more of
/// them than rings, and serve several when there are fewer.
std::vector<std::size_t> rings_of_producer(const StressOptions& options, std::size_t producer);
/// How many producers serve `ring`.
std::size_t producers_of_ring(const StressOptions& options, std::size_t ring);

/// The CPU that thread number `index` is pinned to; nothing without --cpus.
void pin_stress_thread(const StressOptions& options, std::size_t index);

/// Runs consumers against `producers` for the asked time and collects all counts.
StressReport run_stress(const StressOptions& options,
                        const std::vector<std::unique_ptr<StressRing>>& rings,
                        ProducerGroup& producers);

/// Calls `use(Layout)` with the fastest layout that a ring of `slot` has.
template <class Use>
void with_layout(const AnySlotLayout& slot, Use&& use) {
  if (slot.format() == SlotFormat::kFull && slot.bytes == 64) {
    use(DefaultSlot{});
  } else if (slot.format() == SlotFormat::kBare && slot.bytes == 64) {
    use(BareSlot64{});
  } else if (slot.format() == SlotFormat::kBare && slot.bytes == 32) {
    use(BareSlot32{});
  } else if (slot.format() == SlotFormat::kPacked && slot.bytes == 64) {
    use(PackedSlot<64>{});
  } else {
    use(AnySlotLayout{slot});
  }
}

}  // namespace evring::stress
