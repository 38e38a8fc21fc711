// SPDX-License-Identifier: MIT
#include "worker.hpp"

#include <evring/poller/cpu_list.hpp>
#include <evring/poller/poller.hpp>
#include <evring/status.hpp>

#include <fmt/format.h>

#include <condition_variable>
#include <stdexcept>
#include <system_error>
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

Position position_of(const PollerCore& core, std::uint64_t generation) {
  const RingCounters& ring = core.counters(0);
  return {generation, ring.start, ring.cursor, ring.lost};
}

/// Whether nothing answers to that name now; all else is a mistake to be told at once.
bool is_absent(const std::error_code& code) {
  return code == std::errc::no_such_file_or_directory || code == std::errc::connection_refused ||
         code == std::errc::no_such_device || code == std::errc::no_such_device_or_address;
}

std::uint64_t lag_of(const PollerCore& core, std::uint64_t head) {
  const std::uint64_t cursor = core.counters(0).cursor;
  return Sequence(head).count_from(cursor);
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

const char* to_string(Worker::State state) noexcept {
  switch (state) {
    case Worker::State::kWaiting:
      return "waiting";
    case Worker::State::kReading:
      return "reading";
    case Worker::State::kEnded:
      break;
  }
  return "ended";
}

Worker::Worker(const ConsumerConfig& config, const Config& daemon, Print print)
    : config_(config),
      daemon_(daemon),
      print_(std::move(print)),
      output_(make_output(config, print_)) {
  try {
    first_link_ = RingLink::open(config.ring, config.link);
    state_.store(State::kReading);
  } catch (const std::system_error& error) {
    if (!is_absent(error.code()) || daemon_.await == std::chrono::seconds{0}) throw;
    print_(fmt::format("{}: {}; waiting for it", config_.name, error.what()));
  }
}

void Worker::start(std::function<void()> on_end) {
  thread_ = std::jthread([this, on_end = std::move(on_end)](const std::stop_token& stop) {
    try {
      if (config_.cpu >= 0) pin_this_thread(static_cast<unsigned>(config_.cpu));
      run(stop);
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
    output_->finish(Output::Clock::now() + daemon_.drain);
    state_.store(State::kEnded);
    on_end();
  });
}

void Worker::run(const std::stop_token& stop) {
  std::optional<RingLink> current = std::exchange(first_link_, std::nullopt);
  if (!current) current = await_ring(stop);
  while (current) {
    state_.store(State::kReading);
    if (has_default_slots(*current)) {
      poll_until_gone<DefaultSlot>(stop, *std::move(current));
    } else {
      poll_until_gone<AnySlotLayout>(stop, *std::move(current));
    }
    state_.store(State::kWaiting);
    current = await_ring(stop);
  }
}

template <class Layout>
void Worker::poll_until_gone(const std::stop_token& stop, RingLink link) {
  PollerOptions options = config_.poller;
  options.on_gone = [this](unsigned, GoneReason reason) {
    print_(fmt::format("{}: {} is gone: {}; waiting for it to come back", config_.name,
                       config_.ring, to_string(reason)));
  };
  options.name = "evringd " + config_.name;
  const std::uint64_t generation = generation_of(link);
  BasicPoller<Layout> poller(std::move(options));
  poller.add(BasicPollSource<Layout>::from(std::move(link)));
  print_(fmt::format("{}: {} generation {}, from sequence {}, {}: {} ({})", config_.name,
                     config_.ring, generation, poller.consumer(0).start(),
                     to_string(config_.poller.strategy), to_string(poller.rung(0).rung),
                     poller.rung(0).reason));
  if (!poller.post_refusal().empty()) {
    print_(fmt::format("{}: not shown to evring stat: {}", config_.name, poller.post_refusal()));
  }
  attach(poller);
  const auto take = [&](unsigned, std::span<const BasicEvent<Layout>> events) {
    output_->take(BurstView(events, position_of(poller, generation)));
  };
  try {
    poller.run(stop, take);
    poller.drain(take);
  } catch (...) {
    detach(poller.consumer(0).head());
    throw;
  }
  output_->end_generation(position_of(poller, generation));
  detach(poller.consumer(0).head());
}

/// Waits until a ring of that name answers; what it holds is all new.
/// @return nothing when a stop is requested. @throws std::runtime_error past the bound.
std::optional<RingLink> Worker::await_ring(const std::stop_token& stop) {
  LinkOptions options = config_.link;
  options.start_at = StartAt::kOldest;
  const auto begin = Output::Clock::now();
  std::mutex mutex;
  std::condition_variable_any timer;
  std::string told;  // what stands in the way
  while (!stop.stop_requested()) {
    try {
      RingLink link = RingLink::open(config_.ring, options);
      if (link.gone() == GoneReason::kNot) return link;
      told.clear();
    } catch (const std::system_error& error) {
      if (!is_absent(error.code()) && told != error.what()) {
        told = error.what();
        print_(fmt::format("{}: {}; still waiting", config_.name, told));
      }
    }
    if (daemon_.await && Output::Clock::now() - begin >= *daemon_.await) {
      throw std::runtime_error(
          fmt::format("{} did not come within {} s; start its owner, or "
                      "raise await_s",
                      config_.ring, daemon_.await->count()));
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
  past_.lag = lag_of(*core_, head);
  core_ = nullptr;
}

Account Worker::account() const {
  const std::lock_guard lock(mutex_);
  Account account = past_;
  if (core_ == nullptr) return account;
  add_counts(*core_, account);
  const auto* head =
      reinterpret_cast<const std::uint64_t*>(&core_->link(0).mapping().header()->head);
  account.lag = lag_of(*core_, load_relaxed(head));
  return account;
}

}  // namespace evring::daemon
