// SPDX-License-Identifier: MIT
// One stay of one consumer at a ring: a poller of its own, whose handler checks every
// payload. It leaves when asked to; from the last event on, it takes what is left first.
#pragma once

#include <array>
#include <cstring>
#include <evring/poller/poller.hpp>
#include <span>
#include <stop_token>
#include <string>

#include "stress/payload.hpp"
#include "stress/ring.hpp"

namespace evring::stress {

struct SessionPlan {
  unsigned consumer = 0;
  StartAt start_at = StartAt::kOldest;
  std::size_t burst_count = 1;
  ResyncTo resync_to = ResyncTo::kOldest;
  std::uint64_t key = 0;
  bool forgets_one = false;  ///< Fault::kForget
};

template <class Layout>
class Session {
 public:
  Session(const StressOptions& options, const SessionPlan& plan, RingLink link)
      : plan_(plan),
        poller_(poller_options(options)),
        word_count_(options.shape.slot.payload_bytes() / 8) {
    poller_.add(BasicPollSource<Layout>::from(std::move(link)));
    first_sequence_ = consumer().mapping().geometry().first_sequence;
    check_ = StreamCheck(plan.key, options.producer_count, consumer().start() == first_sequence_);
  }

  /// Polls until `leave`; then, once `finished` says that the last event of the ring is
  /// published, to that event.
  ConsumerReport run(const std::stop_token& leave, const std::stop_token& finished) {
    const auto check = [this](unsigned, std::span<const BasicEvent<Layout>> events) {
      for (const BasicEvent<Layout>& event : events) check_event(event);
    };
    poller_.run(leave, check);
    const bool to_the_end = finished.stop_requested();
    if (to_the_end) poller_.drain(check);
    return report(to_the_end);
  }

  const StreamCheck& stream_check() const noexcept { return check_; }
  /// How it is woken, and why not better.
  std::string rung() const {
    return fmt::format("{} ({})", to_string(poller_.rung(0).rung), poller_.rung(0).reason);
  }

 private:
  static constexpr std::size_t kWordsMax = Layout::kPayloadBytesMax / 8;

  PollerOptions poller_options(const StressOptions& options) {
    PollerOptions poller;
    poller.name = "evring stress #" + std::to_string(plan_.consumer);
    poller.strategy = options.strategy;
    poller.best_rung = options.best_rung;
    poller.burst_count = plan_.burst_count;
    poller.resync = plan_.resync_to;
    poller.on_overrun = [this](unsigned, std::uint64_t lost) {
      if (lost != 0) check_.note_loss();
    };
    return poller;
  }

  const BasicGatedConsumer<Layout>& consumer() const noexcept { return poller_.consumer(0); }

  void check_event(const BasicEvent<Layout>& event) noexcept {
    std::memcpy(words_.data(), event.payload.data(), word_count_ * 8);
    check_.check(std::span<const std::uint64_t>(words_.data(), word_count_));
  }

  ConsumerReport report(bool ran_to_end) const {
    ConsumerReport report;
    const Balance balance = consumer().balance();
    report.consumer = plan_.consumer;
    report.start = balance.start - first_sequence_;
    report.end = balance.cursor - first_sequence_;
    report.received = balance.received - (plan_.forgets_one && balance.received > 0 ? 1 : 0);
    report.lost = balance.lost;
    report.overruns = balance.overruns;
    report.corrupt = check_.corrupt();
    report.out_of_order = check_.out_of_order();
    report.doorbells = poller_.counters(0).doorbells;
    report.ran_to_end = ran_to_end;
    return report;
  }

  const SessionPlan& plan_;
  BasicPoller<Layout> poller_;
  std::size_t word_count_;
  std::uint64_t first_sequence_ = 0;
  StreamCheck check_{0, 0, false};
  std::array<std::uint64_t, kWordsMax> words_{};
};

}  // namespace evring::stress
