// SPDX-License-Identifier: MIT
// One stay of one consumer at a ring: reads, checks every payload, resyncs when
// lapped, parks when idle, and leaves when its time is over or the stream is.
#pragma once

#include <sched.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <evring/consumer.hpp>
#include <string>
#include <vector>

#include "consumer_board.hpp"
#include "stress_payload.hpp"
#include "stress_ring.hpp"

namespace evring::cli {

struct SessionPlan {
  unsigned consumer = 0;
  StartAt start_at = StartAt::kOldest;
  ReadWay read_way = ReadWay::kBurst;
  ResyncTo resync_to = ResyncTo::kOldest;
  std::uint64_t key = 0;
  bool forgets_one = false;  ///< Fault::kForget
  std::chrono::steady_clock::time_point leave_at = std::chrono::steady_clock::time_point::max();
};

template <class Layout>
class Session {
 public:
  Session(const StressOptions& options, const SessionPlan& plan, Port& port)
      : options_(options),
        plan_(plan),
        port_(port),
        consumer_(port.link().make_consumer<Layout>()),
        first_sequence_(consumer_.mapping().geometry().first_sequence),
        word_count_(consumer_.layout().payload_bytes() / 8),
        events_(plan.read_way == ReadWay::kBurst ? options.burst_count : 1),
        check_(plan.key, options.producer_count, consumer_.start() == first_sequence_),
        post_(port.link().name(), "evring stress #" + std::to_string(plan.consumer)) {}

  /// @param finished  set once the last event of the ring is published.
  ConsumerReport run(const std::atomic<bool>& finished) {
    bool ran_to_end = false;
    for (std::uint32_t turn = 0;; ++turn) {
      const bool last_look = finished.load(std::memory_order_acquire);
      if (!read_some()) {
        if (last_look && consumer_.cursor() == consumer_.head()) {
          ran_to_end = true;
          break;
        }
        idle();
      }
      if ((turn & 63) != 0) continue;
      show();
      if (std::chrono::steady_clock::now() >= plan_.leave_at) break;
    }
    consumer_.commit();
    return report(ran_to_end);
  }

  const StreamCheck& stream_check() const noexcept { return check_; }

 private:
  static constexpr std::size_t kWordsMax = Layout::kPayloadBytesMax / 8;

  /// @return whether there was anything: events, or a loss.
  bool read_some() {
    const ReadStatus status = plan_.read_way == ReadWay::kVisit ? read_in_place() : read_copies();
    if (status == ReadStatus::kEmpty) return false;
    if (status == ReadStatus::kOverrun) {
      if (consumer_.resync(plan_.resync_to) > 0) check_.note_loss();
    }
    idle_turns_ = 0;
    return true;
  }

  ReadStatus read_copies() {
    if (plan_.read_way == ReadWay::kOne) {
      const ReadStatus status = consumer_.try_read(events_[0]);
      if (status == ReadStatus::kEvent) check_event(events_[0]);
      return status;
    }
    const Burst burst = consumer_.read_burst(events_);
    for (std::size_t i = 0; i < burst.count; ++i) check_event(events_[i]);
    return burst.status;
  }

  ReadStatus read_in_place() {
    const ReadStatus status = consumer_.visit([this](const SlotView<Layout>& view) noexcept {
      for (std::size_t i = 0; i < word_count_; ++i) words_[i] = view.word(i);
    });
    if (status == ReadStatus::kEvent) check_words();
    return status;
  }

  void check_event(const typename BasicConsumer<Layout>::EventType& event) {
    std::memcpy(words_.data(), event.payload.data(), word_count_ * 8);
    check_words();
  }

  void check_words() noexcept {
    check_.check(std::span<const std::uint64_t>(words_.data(), word_count_));
  }

  void idle() {
    ++idle_turns_;
    switch (options_.strategy) {
      case WaitStrategy::kBusySpin:
        cpu_relax();
        return;
      case WaitStrategy::kYield:
        sched_yield();
        return;
      case WaitStrategy::kAdaptive:
        if (idle_turns_ < 64) {
          cpu_relax();
        } else if (idle_turns_ < 128) {
          sched_yield();
        } else {
          park();
        }
        return;
      case WaitStrategy::kPark:
        park();
        return;
    }
  }

  /// To `evring stat`.
  void show() noexcept { post_.update(consumer_.balance(), doorbells_); }

  void park() {
    show();
    if (port_.park(consumer_.cursor())) ++doorbells_;
  }

  ConsumerReport report(bool ran_to_end) const {
    ConsumerReport report;
    const Balance balance = consumer_.balance();
    report.consumer = plan_.consumer;
    report.start = balance.start - first_sequence_;
    report.end = balance.cursor - first_sequence_;
    report.received = balance.received - (plan_.forgets_one && balance.received > 0 ? 1 : 0);
    report.lost = balance.lost;
    report.overruns = balance.overruns;
    report.corrupt = check_.corrupt();
    report.out_of_order = check_.out_of_order();
    report.doorbells = doorbells_;
    report.ran_to_end = ran_to_end;
    return report;
  }

  const StressOptions& options_;
  const SessionPlan& plan_;
  Port& port_;
  BasicConsumer<Layout> consumer_;
  std::uint64_t first_sequence_;
  std::size_t word_count_;
  std::vector<typename BasicConsumer<Layout>::EventType> events_;
  StreamCheck check_;
  ConsumerPost post_;
  std::array<std::uint64_t, kWordsMax> words_{};
  std::uint64_t doorbells_ = 0;
  std::uint32_t idle_turns_ = 0;
};

}  // namespace evring::cli
