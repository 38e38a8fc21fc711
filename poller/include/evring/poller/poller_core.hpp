// SPDX-License-Identifier: MIT
// The part of a poller that does not depend on the slot: which rings are looked
// at, when one arms, how the thread sleeps, what is counted.
// A ring is hot (looked at on every pass), quiet (a few of these per pass), armed
// (not looked at: its doorbell will tell) or gone. So a pass costs what the hot
// rings cost; a thousand quiet ones cost a bounded extra, or one load once armed.
#pragma once

#include <evring/consumer.hpp>
#include <evring/poller/counters.hpp>
#include <evring/poller/options.hpp>
#include <evring/poller/parker.hpp>
#include <evring/poller/ring_set.hpp>
#include <evring/poller/source.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace evring {

/// Not used directly; see BasicPoller for which thread may call what.
class PollerCore {
 public:
  PollerCore(const PollerCore&) = delete;
  PollerCore& operator=(const PollerCore&) = delete;

  std::size_t ring_count() const noexcept { return rings_.size(); }
  /// Rings that are not gone.
  std::size_t alive_count() const noexcept { return alive_count_; }
  const RingLink& link(unsigned id) const noexcept { return *rings_[id]->link; }
  /// How this ring's doorbell comes, and why not better.
  const RungChoice& rung(unsigned id) const noexcept { return rings_[id]->choice; }
  const PollerOptions& options() const noexcept { return options_; }
  /// Any thread, at any time.
  const PollerCounters& counters() const noexcept { return counters_; }
  const RingCounters& counters(unsigned id) const noexcept { return rings_[id]->counters; }

  /// Makes run() return soon, parked or not. Any thread, and signal handlers.
  void request_stop() noexcept {
    stop_requested_.store(true, std::memory_order_relaxed);
    parker_->interrupt();
  }

 protected:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { kHot, kQuiet, kArmed, kGone };

  struct RingState {
    RingLink* link = nullptr;
    RungChoice choice;
    RingCounters counters;
    State state = State::kHot;
    unsigned empty_streak = 0;
    std::uint64_t armed_cursor = 0;
    Clock::time_point quiet_since{};
  };

  static constexpr std::size_t kQuietLooksPerPass = 4;
  static constexpr unsigned kHotEmptyLooks = 64;  ///< a ring is quiet after so many
  static constexpr std::uint64_t kPassesPerParkerLook = 1 << 16;
  static constexpr std::uint64_t kPassesPerClockLook = 1 << 10;

  explicit PollerCore(PollerOptions options);
  ~PollerCore() = default;

  unsigned add_link(RingLink& link, const Balance& balance);
  void forget_all() noexcept;

  bool parks() const noexcept {
    return options_.strategy == WaitStrategy::kAdaptive || options_.strategy == WaitStrategy::kPark;
  }
  bool stop_requested() const noexcept { return stop_requested_.load(std::memory_order_relaxed); }

  void begin_pass() {
    ++pass_;
    now_known_ = false;
    active_ = false;
    if (parker_->pending() || pass_ % kPassesPerClockLook == 0) [[unlikely]]
      look_after_armed();
  }
  void end_pass() noexcept {
    if (!woken_) [[likely]]
      return;
    woken_ = false;
    if (!active_) counters_.spurious_wakes.add(1);
  }

  /// The ring had events, or was lapped.
  void note_work(unsigned id) noexcept {
    RingState& ring = *rings_[id];
    active_ = true;
    ring.empty_streak = 0;
    if (ring.state != State::kHot) move_to(id, State::kHot);
  }
  /// Whether an empty look at `ring` should ask if it is gone: the word lies beside
  /// the producer's counts, and asking always would slow the producer.
  bool time_to_ask_gone(const RingState& ring) const noexcept {
    return parks() || ring.empty_streak % kHotEmptyLooks == 0;
  }
  /// The ring was empty: it gets quieter, and arms when it is time to.
  void note_empty(unsigned id, std::uint64_t cursor);
  /// Takes back the arm of a ring, if it is armed.
  void unarm(unsigned id) noexcept;
  /// The ring has given its last event.
  void retire(unsigned id);

  /// No ring had anything: relax, yield or park, as the strategy says.
  void wait_for_work();
  /// Takes the wake-ups that are there or come within `limit` (negative: no limit).
  void collect_wakes(std::chrono::microseconds limit);
  void interrupt() noexcept { parker_->interrupt(); }
  /// Takes all arms back, on the thread that armed.
  void unarm_all() noexcept;

  void publish_balance(RingState& ring, const Balance& balance) noexcept;

  PollerOptions options_;
  std::vector<std::unique_ptr<RingState>> rings_;
  RingSet hot_;
  RingSet quiet_;
  PollerCounters counters_;

 private:
  void arm(unsigned id, std::uint64_t cursor);
  void park();
  void look_after_armed();
  void recheck_armed();
  bool has_no_doorbell_to_wait_for() const noexcept;
  void move_to(unsigned id, State state) noexcept;
  void count_doorbell(RingState& ring) noexcept;
  Clock::time_point now() noexcept;

  std::unique_ptr<Parker> parker_;
  std::size_t armed_count_ = 0;
  std::size_t alive_count_ = 0;
  std::vector<Wake> wakes_;
  std::uint64_t pass_ = 0;
  Clock::time_point now_{};
  Clock::time_point last_recheck_{};
  bool now_known_ = false;
  bool active_ = false;  ///< this pass found events or an overrun
  bool woken_ = false;   ///< a doorbell ended the last park
  std::atomic<bool> stop_requested_{false};
};

}  // namespace evring
