// SPDX-License-Identifier: MIT
#include "worker.hpp"

#include "../cli/consumer_board.hpp"

#include <evring/poller/cpu_list.hpp>
#include <evring/poller/poller.hpp>
#include <evring/status.hpp>

#include <fmt/format.h>

#include <condition_variable>
#include <system_error>
#include <type_traits>
#include <utility>

namespace evring::daemon {
namespace {

constexpr std::chrono::milliseconds kRetry{200};

bool has_default_slots(const RingLink& link) {
  const AnySlotLayout& slot = link.mapping().geometry().slot;
  return slot.format() == DefaultSlot::format() && slot.slot_bytes() == DefaultSlot::slot_bytes();
}

std::uint64_t generation_of(const RingLink& link) {
  const auto status =
      read_status(*link.mapping().header(), link.mapping().geometry().first_sequence);
  return status ? status->block.generation : 0;
}

Balance balance_of(const PollerCore& core) {
  const RingCounters& ring = core.counters(0);
  return {ring.start, ring.cursor, ring.received, ring.lost, ring.overruns};
}

/// The account of a poller's only ring, added to `account`.
void add_counts(const PollerCore& core, Account& account) {
  const RingCounters& ring = core.counters(0);
  account.start = ring.start;
  account.received += ring.received;
  account.lost += ring.lost;
  account.expected += ring.cursor - ring.start;
  account.overruns += ring.overruns;
  account.doorbells += ring.doorbells;
  account.bursts += ring.bursts;
  account.parks += core.counters().parks;
  account.wakes += core.counters().wakes;
  account.spurious_wakes += core.counters().spurious_wakes;
}

}  // namespace

Worker::Worker(const ConsumerConfig& config, Print print)
    : config_(config),
      print_(std::move(print)),
      sink_(config),
      first_link_(RingLink::open(config.ring, config.link)) {}

void Worker::start(std::function<void()> on_failure) {
  thread_ = std::jthread([this, on_failure = std::move(on_failure)](const std::stop_token& stop) {
    try {
      if (config_.cpu >= 0) pin_this_thread(static_cast<unsigned>(config_.cpu));
      RingLink link = *std::move(first_link_);
      first_link_.reset();
      run(stop, std::move(link));
      sink_.flush();
    } catch (const std::exception& error) {
      failure_ = error.what();
      on_failure();
    }
  });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::run(const std::stop_token& stop, RingLink link) {
  std::optional<RingLink> current = std::move(link);
  while (current) {
    if (has_default_slots(*current)) {
      poll_until_gone<DefaultSlot>(stop, *std::move(current));
    } else {
      poll_until_gone<AnySlotLayout>(stop, *std::move(current));
    }
    current = find_again(stop);
  }
}

template <class Layout>
void Worker::poll_until_gone(const std::stop_token& stop, RingLink link) {
  PollerOptions options = config_.poller;
  options.on_gone = [this](unsigned, GoneReason reason) {
    print_(fmt::format("{}: {} is gone: {}; waiting for it to come back", config_.name,
                       config_.ring, to_string(reason)));
  };
  const std::uint64_t generation = generation_of(link);
  cli::ConsumerPost post(link.name(), "evringd " + config_.name);
  const PollerCore* core = nullptr;
  const auto show = [&post, &core] { post.update(balance_of(*core), core->counters(0).doorbells); };
  options.on_overrun = [&show](unsigned, std::uint64_t) { show(); };
  BasicPoller<Layout> poller(std::move(options));
  core = &poller;
  poller.add(BasicPollSource<Layout>::from(std::move(link)));
  print_(fmt::format("{}: {} generation {}, from sequence {}, {}: {} ({})", config_.name,
                     config_.ring, generation, poller.consumer(0).start(),
                     to_string(config_.poller.strategy), to_string(poller.rung(0).rung),
                     poller.rung(0).reason));
  attach(poller);
  show();
  const auto take = [this, &show](unsigned, std::span<const BasicEvent<Layout>> events) {
    sink_.take<Layout>(events);
    show();
  };
  try {
    poller.run(stop, take);
    poller.drain(take);
  } catch (...) {
    detach(poller.consumer(0).head());
    throw;
  }
  detach(poller.consumer(0).head());
}

/// Waits until a ring of that name answers again; what it holds is all new.
std::optional<RingLink> Worker::find_again(const std::stop_token& stop) const {
  LinkOptions options = config_.link;
  options.start_at = StartAt::kOldest;
  std::mutex mutex;
  std::condition_variable_any timer;
  while (!stop.stop_requested()) {
    try {
      RingLink link = RingLink::open(config_.ring, options);
      if (link.gone() == GoneReason::kNot) return link;
    } catch (const std::system_error&) {
      // Not yet.
    }
    std::unique_lock lock(mutex);
    timer.wait_for(lock, stop, kRetry, [] { return false; });
  }
  return std::nullopt;
}

void Worker::attach(const PollerCore& core) {
  const std::lock_guard lock(mutex_);
  core_ = &core;
  ++past_.generations;
}

void Worker::detach(std::uint64_t head) {
  const std::lock_guard lock(mutex_);
  add_counts(*core_, past_);
  const std::uint64_t lag = head - core_->counters(0).cursor;
  past_.lag = static_cast<std::int64_t>(lag) < 0 ? 0 : lag;
  core_ = nullptr;
}

Account Worker::account() const {
  const std::lock_guard lock(mutex_);
  Account account = past_;
  if (core_ == nullptr) return account;
  add_counts(*core_, account);
  const auto* head =
      reinterpret_cast<const std::uint64_t*>(&core_->link(0).mapping().header()->head);
  const std::uint64_t lag = load_relaxed(head) - core_->counters(0).cursor;
  account.lag = static_cast<std::int64_t>(lag) < 0 ? 0 : lag;
  return account;
}

}  // namespace evring::daemon
