// SPDX-License-Identifier: MIT
// One thread, any number of rings: bursts into a handler while there is work, one
// sleep over all doorbells when there is none.
// What happens between the bursts is in poller_core.hpp.
#pragma once

#include <evring/consumer.hpp>
#include <evring/poller/counters.hpp>
#include <evring/poller/options.hpp>
#include <evring/poller/poller_core.hpp>
#include <evring/poller/source.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

namespace evring {

/// Polls rings of one layout. Built on any thread; poll_once(), run() and drain() belong
/// to one thread, the first that calls run(); request_stop() and the counters to any.
///
/// add() and remove(): while run() runs, any thread, handlers included; else the thread
/// that polls. A number is free again once its ring was removed; until then it is the
/// same ring's.
template <class Layout>
class BasicPoller : public PollerCore {
 public:
  using EventType = BasicEvent<Layout>;
  using Source = BasicPollSource<Layout>;
  using Member = GroupMember<Layout>;
  /// Takes 1 to burst_count events of one ring, in order; the span is valid during the call.
  using Handler = std::function<void(unsigned ring, std::span<const EventType> events)>;

  /// @throws std::system_error when neither io_uring nor epoll can be had.
  explicit BasicPoller(PollerOptions options = {})
      : PollerCore(std::move(options)), buffer_(std::max<std::size_t>(options_.burst_count, 1)) {}

  /// Disarms what is armed.
  ~BasicPoller() { forget_all(); }

  /// Adds a ring. While another thread runs the poller, it is polled from that one's next
  /// pass on, and link(), rung() and consumer() are that thread's; else at once.
  ///
  /// @param handler  gets this ring's events; empty: the one that run() was given does.
  /// @return its number, the lowest being 0.
  unsigned add(Source source, Handler handler = {}) {
    return add(std::make_unique<Entry>(std::move(source.link), std::move(source.consumer), nullptr,
                                       std::move(handler)));
  }
  /// The same for a member of a group. Its account: cursor is the group's next claim, and
  /// start so far before it as this member claimed.
  unsigned add(BasicGroupSource<Layout> source, Handler handler = {}) {
    return add(std::make_unique<Entry>(std::move(source.link), std::nullopt,
                                       std::move(source.member), std::move(handler)));
  }

  /// For the poller's thread; others read counters(id). Not of a member.
  const BasicGatedConsumer<Layout>& consumer(unsigned id) const noexcept {
    return *entries_[id]->consumer;
  }
  /// For the poller's thread. Of a member alone.
  const Member& member(unsigned id) const noexcept { return *entries_[id]->member; }

  /// Polls until a stop is requested or, unless options().stays, every ring is gone and none
  /// was added meanwhile. What is added or removed while it stops is done by the next call,
  /// or by poll_once() or drain(). request_stop() is for good, `stop` for this call.
  ///
  /// `handler`, called as a Handler, gets the events of rings that were added without one.
  /// What a handler throws passes through, and so does what on_gone() and on_overrun() throw;
  /// those events count as received, and what is left to do is done by the next call. Nothing
  /// is armed when it returns.
  template <class AnyHandler>
  RunEnd run(const std::stop_token& stop, AnyHandler&& handler) {
    Running running(*this);
    const std::stop_callback wake_up(stop, [this] { request_run_stop(); });
    collect_wakes(std::chrono::microseconds{0});
    RunEnd why = RunEnd::kStopped;
    do {
      while (!stop_requested() && has_rings()) {
        if (poll_once(handler) == 0) wait_for_work();
      }
      unarm_all();
      why = alive_count() == 0 ? RunEnd::kAllGone : RunEnd::kStopped;
    } while (!running.end());
    return why;
  }

  /// One pass: at most a burst from each ring that is due to be looked at. Never
  /// sleeps; arms nothing unless the strategy parks. @return how many events it gave.
  template <class AnyHandler>
  std::size_t poll_once(AnyHandler&& handler) {
    if (has_changes()) [[unlikely]]
      change_rings();
    begin_pass();
    const ArmsEnd arms_end(*this);
    std::size_t event_count = 0;
    for (std::size_t i = 0; i < hot_.size();) {
      const unsigned id = hot_[i];
      event_count += look(id, handler);
      if (hot_.contains_at(i, id)) ++i;  // else another one has taken its place
    }
    if (quiet_.size() != 0) {
      event_count += sweep_quiet(event_count != 0 ? kGlancesWhenBusy : kGlancesWhenIdle, handler);
    }
    end_pass();
    return event_count;
  }

  /// After run(): takes what is published up to now from every ring.
  /// @return how many events that gave.
  template <class AnyHandler>
  std::size_t drain(AnyHandler&& handler) {
    if (has_changes()) change_rings();
    std::size_t event_count = 0;
    for (unsigned id = 0; id < entries_.size(); ++id) {
      if (entries_[id] == nullptr) continue;
      const std::uint64_t end = entries_[id]->head();
      while (Sequence(end).is_after(entries_[id]->cursor())) {
        const Burst burst = take(id, handler);
        if (is_nothing(burst.status)) break;
        event_count += burst.count;
      }
    }
    return event_count;
  }

 private:
  static bool is_nothing(ReadStatus status) noexcept {
    return status == ReadStatus::kEmpty || status == ReadStatus::kGone;
  }

  /// A ring and whoever reads it: a consumer, or a member of a group.
  struct Entry {
    Entry(RingLink link_of, std::optional<BasicGatedConsumer<Layout>> consumer_of,
          std::unique_ptr<Member> member_of, Handler handler_of)
        : link(std::move(link_of)),
          consumer(std::move(consumer_of)),
          member(std::move(member_of)),
          handler(std::move(handler_of)) {}

    std::uint64_t head() const noexcept {
      return load_relaxed(reinterpret_cast<const std::uint64_t*>(&link.mapping().header()->head));
    }
    /// What is read next; of a member, what its group claims next.
    std::uint64_t cursor() const noexcept {
      return member ? member->group().claim() : consumer->cursor();
    }
    Balance balance() const noexcept {
      if (!member) return consumer->balance();
      const std::uint64_t next = cursor();
      return {next - member->claimed(), next, member->received(), member->lost(),
              member->overruns()};
    }

    RingLink link;
    std::optional<BasicGatedConsumer<Layout>> consumer;
    std::unique_ptr<Member> member;
    Handler handler;
  };
  struct Joining {
    unsigned id;
    std::unique_ptr<Entry> entry;
  };

  unsigned add(std::unique_ptr<Entry> entry) {
    const std::lock_guard lock(mutex_);
    const unsigned id = take_number(entry->link, entry->balance());
    if (runs_elsewhere()) {
      joining_.push_back({id, std::move(entry)});
      announce_change();
    } else {
      join(id, std::move(entry));
    }
    return id;
  }

  /// With mutex_ held.
  void join(unsigned id, std::unique_ptr<Entry> entry) {
    if (id >= entries_.size()) entries_.resize(id + 1);
    entries_[id] = std::move(entry);
    admit(id, entries_[id]->link);
  }

  bool has_rings() {
    if (alive_count() == 0 && has_changes()) change_rings();
    return alive_count() != 0 || options_.stays;
  }

  /// Does what add() and remove() asked for, in that order: whoever is removed was added.
  void change_rings() {
    while (const std::optional<unsigned> id = take_change()) {
      const Leaving leaving{*this, *id};
      let_go(*id);
    }
  }

  /// Takes in all that join, and of those that leave one: on_gone() may throw.
  std::optional<unsigned> take_change() {
    const std::lock_guard lock(mutex_);
    for (Joining& each : joining_) join(each.id, std::move(each.entry));
    joining_.clear();
    std::optional<unsigned> id;
    if (!leaving_.empty()) {
      id = leaving_.front();
      leaving_.pop_front();
    }
    has_changes_.store(!leaving_.empty(), std::memory_order_relaxed);
    return id;
  }

  /// Gives the seat and the number back, whatever on_gone() did.
  struct Leaving {
    BasicPoller& poller;
    unsigned id;
    ~Leaving() {
      poller.entries_[id].reset();
      poller.give_back_number(id);
    }
  };

  /// Reads one burst and hands it over.
  template <class AnyHandler>
  Burst take(unsigned id, AnyHandler& handler) {
    Entry& entry = *entries_[id];
    RingState& ring = *rings_[id];
    const std::uint64_t lost_before = ring.counters->lost;
    const Burst burst = entry.member ? entry.member->read_burst(std::span(buffer_))
                                     : entry.consumer->read_burst(std::span(buffer_));
    if (is_nothing(burst.status)) {
      if (entry.member) publish_balance(ring, entry.balance());  // others claim, too
      ring.counters->empty_polls.add(1);
      counters_.empty_polls.add(1);
      return burst;
    }
    const bool is_lapped = burst.status == ReadStatus::kOverrun;
    if (is_lapped && entry.consumer) entry.consumer->resync(options_.resync);
    publish_balance(ring, entry.balance());
    // A member steps over what is lost by itself, and may have events beyond it.
    const std::uint64_t lost = ring.counters->lost - lost_before;
    if ((is_lapped || lost != 0) && options_.on_overrun) [[unlikely]]
      options_.on_overrun(id, lost);
    if (burst.count != 0) hand_over(id, entry, burst.count, handler);
    return burst;
  }

  /// Counts a burst in buffer_ and gives it to whom it is for.
  template <class AnyHandler>
  void hand_over(unsigned id, const Entry& entry, std::size_t count, AnyHandler& handler) {
    rings_[id]->counters->bursts.add(1);
    counters_.bursts.add(1);
    counters_.events.add(count);
    const std::span<const EventType> events(buffer_.data(), count);
    if (entry.handler) {
      entry.handler(id, events);
    } else {
      handler(id, events);
    }
  }

  /// Glances at the next few quiet rings, and looks at those where something changed.
  template <class AnyHandler>
  std::size_t sweep_quiet(std::size_t glances, AnyHandler& handler) {
    std::size_t event_count = 0;
    const QuietSet::Changed changed = quiet_.sweep(glances);
    for (std::size_t i = 0; i < changed.count; ++i) event_count += look(changed.ids[i], handler);
    if (time_for_quiet_look()) [[unlikely]] {
      const std::size_t looks = std::min(quiet_.size(), parks() ? kArmLooksPerPass : 1);
      for (std::size_t i = 0; i < looks && quiet_.size() != 0; ++i) {
        event_count += look(quiet_.next(), handler);
      }
    }
    return event_count;
  }

  /// Takes a burst, and lets the ring become hot, quiet, armed or gone by it.
  template <class AnyHandler>
  std::size_t look(unsigned id, AnyHandler& handler) {
    RingState& ring = *rings_[id];
    Burst burst = take(id, handler);
    if (is_nothing(burst.status)) [[unlikely]] {
      if (!time_to_think(ring)) return 0;
      if (ring.link->gone() == GoneReason::kNot) {
        note_empty(id, entries_[id]->cursor());
        return 0;
      }
      burst = take(id, handler);  // gone: what came before that is still due
      if (is_nothing(burst.status)) {
        retire(id, ring.link->gone());
        return 0;
      }
    }
    note_work(id);
    return burst.count;
  }

  std::vector<EventType> buffer_;
  std::vector<std::unique_ptr<Entry>> entries_;  ///< by number; null: none
  std::vector<Joining> joining_;                 ///< under mutex_
};

using Poller = BasicPoller<DefaultSlot>;
using AnyPoller = BasicPoller<AnySlotLayout>;

}  // namespace evring
