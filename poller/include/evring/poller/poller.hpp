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
#include <memory>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

namespace evring {

/// Polls rings of one layout. Built on any thread; add(), poll_once(), run() and
/// drain() belong to one thread, the first that calls run(); request_stop() and the
/// counters to any.
template <class Layout>
class BasicPoller : public PollerCore {
 public:
  using EventType = BasicEvent<Layout>;
  using Source = BasicPollSource<Layout>;

  /// @throws std::system_error when neither io_uring nor epoll can be had.
  explicit BasicPoller(PollerOptions options = {})
      : PollerCore(std::move(options)), buffer_(std::max<std::size_t>(options_.burst_count, 1)) {}

  /// Disarms what is armed.
  ~BasicPoller() { forget_all(); }

  /// Adds a ring, before run() or between two of them. @return its number, from 0.
  unsigned add(Source source) {
    sources_.push_back(std::make_unique<Source>(std::move(source)));
    return add_link(sources_.back()->link, sources_.back()->consumer.balance());
  }

  /// For the poller's thread; others read counters(id).
  const BasicGatedConsumer<Layout>& consumer(unsigned id) const noexcept {
    return sources_[id]->consumer;
  }

  /// Polls until a stop is requested or every ring is gone.
  ///
  /// `handler(unsigned ring, std::span<const EventType> events)` gets 1 to burst_count
  /// events of one ring, in order; the span is valid during the call. What it throws
  /// passes through; those events count as received. Nothing is armed when it returns.
  template <class Handler>
  RunEnd run(const std::stop_token& stop, Handler&& handler) {
    const std::stop_callback wake_up(stop, [this] { interrupt(); });
    collect_wakes(std::chrono::microseconds{0});
    while (!stop.stop_requested() && !stop_requested() && alive_count() != 0) {
      if (poll_once(handler) == 0) wait_for_work();
    }
    unarm_all();
    return alive_count() == 0 ? RunEnd::kAllGone : RunEnd::kStopped;
  }

  /// One pass: at most a burst from each ring that is due to be looked at. Never
  /// sleeps; arms nothing unless the strategy parks. @return how many events it gave.
  template <class Handler>
  std::size_t poll_once(Handler&& handler) {
    begin_pass();
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
  template <class Handler>
  std::size_t drain(Handler&& handler) {
    std::size_t event_count = 0;
    for (unsigned id = 0; id < ring_count(); ++id) {
      const std::uint64_t end = sources_[id]->consumer.head();
      while (Sequence(end).is_after(sources_[id]->consumer.cursor())) {
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

  /// Reads one burst and hands it over.
  template <class Handler>
  Burst take(unsigned id, Handler& handler) {
    BasicGatedConsumer<Layout>& consumer = sources_[id]->consumer;
    RingState& ring = *rings_[id];
    const Burst burst = consumer.read_burst({buffer_.data(), buffer_.size()});
    if (burst.count != 0) {
      publish_balance(ring, consumer.balance());
      ring.counters->bursts.add(1);
      counters_.bursts.add(1);
      counters_.events.add(burst.count);
      handler(id, std::span<const EventType>(buffer_.data(), burst.count));
    } else if (burst.status == ReadStatus::kOverrun) {
      const std::uint64_t lost = consumer.resync(options_.resync);
      publish_balance(ring, consumer.balance());
      if (options_.on_overrun) options_.on_overrun(id, lost);
    } else {
      ring.counters->empty_polls.add(1);
      counters_.empty_polls.add(1);
    }
    return burst;
  }

  /// Glances at the next few quiet rings, and looks at those where something changed.
  template <class Handler>
  std::size_t sweep_quiet(std::size_t glances, Handler& handler) {
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
  template <class Handler>
  std::size_t look(unsigned id, Handler& handler) {
    RingState& ring = *rings_[id];
    Burst burst = take(id, handler);
    if (is_nothing(burst.status)) [[unlikely]] {
      if (!time_to_think(ring)) return 0;
      if (ring.link->gone() == GoneReason::kNot) {
        note_empty(id, sources_[id]->consumer.cursor());
        return 0;
      }
      burst = take(id, handler);  // gone: what came before that is still due
      if (is_nothing(burst.status)) {
        retire(id);
        return 0;
      }
    }
    note_work(id);
    return burst.count;
  }

  std::vector<EventType> buffer_;
  std::vector<std::unique_ptr<Source>> sources_;
};

using Poller = BasicPoller<DefaultSlot>;
using AnyPoller = BasicPoller<AnySlotLayout>;

}  // namespace evring
