// SPDX-License-Identifier: MIT
// The part of a poller that does not depend on the slot: which rings are looked
// at, when one arms, how the thread sleeps, what is counted.
// A ring is hot (looked at on every pass), quiet (glanced at, a few of these per pass),
// armed (its doorbell will tell) or gone; see evring-tuning(7). So a pass costs what
// the hot rings cost; a thousand quiet ones a few loads, or one load once armed.
#pragma once

#include <evring/consumer.hpp>
#include <evring/poller/board.hpp>
#include <evring/poller/counters.hpp>
#include <evring/poller/options.hpp>
#include <evring/poller/parker.hpp>
#include <evring/poller/relax.hpp>
#include <evring/poller/ring_set.hpp>
#include <evring/poller/source.hpp>
#include <evring/poller/stable_vector.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace evring {

/// Not used directly; see BasicPoller for which thread may call what.
class PollerCore {
 public:
  PollerCore(const PollerCore&) = delete;
  PollerCore& operator=(const PollerCore&) = delete;

  /// One more than the highest number of a ring. Any thread.
  std::size_t ring_count() const noexcept { return table_.size(); }
  /// Rings that are not gone.
  std::size_t alive_count() const noexcept { return alive_count_; }
  const RingLink& link(unsigned id) const noexcept { return *rings_[id]->link; }
  /// How this ring's doorbell comes, and why not better.
  const RungChoice& rung(unsigned id) const noexcept { return rings_[id]->choice; }
  const PollerOptions& options() const noexcept { return options_; }
  /// Any thread, at any time.
  const PollerCounters& counters() const noexcept { return counters_; }
  const RingCounters& counters(unsigned id) const noexcept { return *table_[id].counters; }
  /// Why it is not on the board of consumers, or not with all of its rings; empty when it is.
  std::string post_refusal() const;

  /// Leaves a ring before the next pass: disarms, calls on_gone(), gives its seat back and
  /// frees its number; all of that too where on_gone() throws, which passes through the pass.
  /// Its counters stay until the number is given out again. Events that were not read stay
  /// unread. Any thread, handlers and on_gone() included; a second call does nothing.
  void remove(unsigned id);

  /// Makes run() return soon, parked or not. Any thread, and signal handlers.
  void request_stop() noexcept {
    stop_requested_.store(true, std::memory_order_relaxed);
    parker_->interrupt();
  }

 protected:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { kHot, kQuiet, kArmed, kGone };

  struct RingState {
    RingCounters* counters = nullptr;  ///< on the board, for all rings of this number
    bool is_leaving = false;           ///< under mutex_; all below is the poller's thread's
    RingLink* link = nullptr;
    RungChoice choice;
    State state = State::kGone;
    std::uint64_t empty_streak = 0;  ///< looks since it had events
    std::uint64_t armed_cursor = 0;
    Clock::time_point quiet_since{};
  };

  static constexpr unsigned kHotEmptyLooks = 64;  ///< a ring is quiet after so many
  /// Without parking, the rings that had events last stay hot, however long ago: the one
  /// busy ring of a thousand is looked at on every pass, at any rate.
  static constexpr std::size_t kHotKept = 4;
  /// Glances at quiet rings in a pass that found events, and in one that did not: there,
  /// they are all that a hot ring's next event waits for.
  static constexpr std::size_t kGlancesWhenBusy = QuietSet::kGlancesMax;
  static constexpr std::size_t kGlancesWhenIdle = 2;
  static constexpr std::uint64_t kPassesPerQuietLook = 64;  ///< a whole look: is it gone?
  static constexpr std::uint64_t kPassesPerArmLook = 64;    ///< is one quiet for long enough?
  static constexpr std::size_t kArmLooksPerPass = 64;       ///< their arms share a barrier
  static constexpr std::uint64_t kPassesPerParkerLook = 1 << 16;
  static constexpr std::uint64_t kPassesPerClockLook = 1 << 10;

  explicit PollerCore(PollerOptions options);
  ~PollerCore() = default;

  /// Says that run() is being run, by this thread, for as long as it lives.
  class Running {
   public:
    explicit Running(PollerCore& core);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running();
    /// Ends it, unless something was asked for that this run has yet to do. @return whether.
    bool end() noexcept;

   private:
    PollerCore& core_;
  };

  /// With mutex_ held: a number for a ring that is to be admitted.
  unsigned take_number(const RingLink& link, const Balance& balance);
  /// With mutex_ held: takes a ring of that number in. On the poller's thread, or before run().
  void admit(unsigned id, RingLink& link);
  /// With mutex_ held: whether another thread runs this poller.
  bool runs_elsewhere() const noexcept;
  /// With mutex_ held: has the poller's thread look at what changed, parked or not.
  void announce_change() noexcept;
  bool has_changes() const noexcept { return has_changes_.load(std::memory_order_relaxed); }
  /// What of a ring is the core's goes; after that, its number may be given out again.
  void let_go(unsigned id);
  void give_back_number(unsigned id) noexcept;
  void forget_all() noexcept;

  bool parks() const noexcept {
    return options_.strategy == WaitStrategy::kAdaptive || options_.strategy == WaitStrategy::kPark;
  }
  bool parks_at_once() const noexcept { return options_.strategy == WaitStrategy::kPark; }
  bool stop_requested() const noexcept {
    return stop_requested_.load(std::memory_order_relaxed) ||
           run_stop_requested_.load(std::memory_order_relaxed);
  }
  /// Ends this run(), not those that follow. By the callback of its stop_token.
  void request_run_stop() noexcept {
    run_stop_requested_.store(true, std::memory_order_relaxed);
    parker_->interrupt();
  }

  void begin_pass() {
    ++pass_;
    now_known_ = false;
    active_ = false;
    if (parker_->pending() || pass_ % kPassesPerClockLook == 0) [[unlikely]]
      look_after_armed();
  }
  /// Ends the arms of a pass, of one too that is left by an exception.
  class ArmsEnd {
   public:
    explicit ArmsEnd(PollerCore& core) noexcept : core_(core) {}
    ArmsEnd(const ArmsEnd&) = delete;
    ArmsEnd& operator=(const ArmsEnd&) = delete;
    ~ArmsEnd() {
      if (!core_.arming_.empty()) [[unlikely]]
        core_.end_arms();
    }

   private:
    PollerCore& core_;
  };
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
  /// Counts an empty look. @return whether it is time to ask if the ring is gone, or to
  /// let it become quiet: the first word lies beside the producer's counts, and asking
  /// always would slow the producer.
  bool time_to_think(RingState& ring) const noexcept {
    ++ring.empty_streak;
    return ring.empty_streak % kHotEmptyLooks == 0 || ring.state != State::kHot || parks_at_once();
  }
  /// The ring was empty: it gets quieter, and arms when it is time to.
  void note_empty(unsigned id, std::uint64_t cursor);
  /// Whether this pass takes a whole look at quiet rings: whoever waits to arm does so
  /// there, and who is gone is found out.
  bool time_for_quiet_look() const noexcept {
    return pass_ % (parks() ? kPassesPerArmLook : kPassesPerQuietLook) == 0;
  }
  /// Takes back the arm of a ring, if it is armed.
  void unarm(unsigned id) noexcept;
  /// The ring has given its last event.
  void retire(unsigned id, GoneReason reason);

  /// No ring had anything: relax, yield or park, as the strategy says.
  void wait_for_work();
  /// Takes the wake-ups that are there or come within `limit` (negative: no limit).
  void collect_wakes(std::chrono::microseconds limit);
  /// Takes all arms back, on the thread that armed.
  void unarm_all() noexcept;

  void publish_balance(RingState& ring, const Balance& balance) noexcept;

  PollerOptions options_;
  BoardPost post_;
  PollerCounters& counters_;
  std::vector<RingState*> rings_;  ///< of the poller's thread: into table_
  RingSet hot_;
  QuietSet quiet_;

  /// Held to add, to remove and to show rings; never while there is nothing of the kind.
  mutable std::mutex mutex_;
  std::deque<unsigned> leaving_;
  std::atomic<bool> has_changes_{false};

 private:
  void begin_arm(unsigned id, std::uint64_t cursor);
  void end_arms() noexcept;
  void take_arm(unsigned id, ArmResult result) noexcept;
  void grow_quiet(unsigned id);
  bool enter_quiet(unsigned id);
  unsigned longest_quiet_hot() const noexcept;
  void park();
  void look_after_armed();
  void recheck_armed();
  void leave_state(unsigned id) noexcept;
  void move_to(unsigned id, State state) noexcept;
  void count_doorbell(RingState& ring) noexcept;
  Clock::time_point now() noexcept;

  StableVector<RingState> table_;
  std::vector<unsigned> free_numbers_;
  std::thread::id runner_;  ///< none: nobody runs it
  std::unique_ptr<Parker> parker_;
  Relax relax_;  ///< how it idles: whoever asked for lowest latency gets the shortest
  std::size_t armed_count_ = 0;
  std::size_t quiet_with_doorbell_count_ = 0;
  std::size_t alive_count_ = 0;
  std::vector<unsigned> arming_;  ///< armed in this pass, behind one barrier for all at its end
  std::vector<Wake> wakes_;
  std::uint64_t pass_ = 0;
  Clock::time_point now_{};
  Clock::time_point last_recheck_{};
  bool now_known_ = false;
  bool active_ = false;  ///< this pass found events or an overrun
  bool woken_ = false;   ///< a doorbell ended the last park
  std::atomic<bool> stop_requested_{false};
  std::atomic<bool> run_stop_requested_{false};
};

}  // namespace evring
