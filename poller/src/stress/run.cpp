// SPDX-License-Identifier: MIT
// The consumers' side of `evring-stress`, the same for local rings and devices: a
// thread and a poller for each, to the end, or coming and going under --churn.
#include <fmt/format.h>

#include <condition_variable>
#include <evring/poller/cpu_list.hpp>
#include <latch>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "stress/session.hpp"

namespace evring::stress {
namespace {

using Clock = std::chrono::steady_clock;

/// Asks a session to leave when the stream is finished, or at a moment before that.
class Leaving {
 public:
  Leaving(const std::stop_token& finished, std::optional<Clock::time_point> at)
      : with_the_stream_(finished, Ask{leave_}) {
    if (!at) return;
    timer_ = std::jthread([this, at = *at](const std::stop_token& cancelled) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait_until(lock, cancelled, at, [] { return false; });
      leave_.request_stop();
    });
  }
  std::stop_token token() const noexcept { return leave_.get_token(); }

 private:
  struct Ask {
    std::stop_source& leave;
    void operator()() const noexcept { leave.request_stop(); }
  };
  std::stop_source leave_;
  std::stop_callback<Ask> with_the_stream_;
  std::jthread timer_;
};

/// All consumers of a run. The threads share only what is guarded here.
class ConsumerGroup {
 public:
  ConsumerGroup(const StressOptions& options, const std::vector<std::unique_ptr<StressRing>>& rings,
                ProducerGroup& producers)
      : options_(options),
        rings_(rings),
        producers_(producers),
        reports_(rings.size()),
        joined_(static_cast<std::ptrdiff_t>(rings.size() * options.consumer_count)) {}

  ~ConsumerGroup() { finish(); }
  ConsumerGroup(const ConsumerGroup&) = delete;
  ConsumerGroup& operator=(const ConsumerGroup&) = delete;

  /// Returns when every consumer that starts with the stream has joined.
  void start() {
    for (std::size_t ring = 0; ring < rings_.size(); ++ring) {
      for (unsigned consumer = 0; consumer < options_.consumer_count; ++consumer) {
        threads_.emplace_back([this, ring, consumer] { run_thread(ring, consumer); });
      }
    }
    joined_.wait();
  }

  /// The last event is published: consumers read what is left and end.
  void finish() {
    finished_.request_stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void collect(StressReport& report) {
    for (std::size_t ring = 0; ring < rings_.size(); ++ring) {
      report.rings[ring].consumers = std::move(reports_[ring]);
    }
    report.rung = rung_;
    for (std::string& problem : problems_) report.problems.push_back(std::move(problem));
  }

 private:
  void run_thread(std::size_t ring, unsigned consumer) {
    bool waits_for_start = true;
    try {
      pin_stress_thread(options_,
                        options_.producer_count + ring * options_.consumer_count + consumer);
      if (options_.churn && consumer != 1) {
        joined_.count_down();
        waits_for_start = false;
        come_and_go(ring, consumer);
      } else {
        stay(ring, consumer, waits_for_start);
        if (options_.churn) come_and_go(ring, consumer);
      }
    } catch (const std::exception& error) {
      const std::lock_guard held(mutex_);
      problems_.push_back(
          fmt::format("{}: consumer {}: {}", rings_[ring]->name(), consumer, error.what()));
    }
    if (waits_for_start) joined_.count_down();
  }

  /// From the first event on: to the last, or (under churn) for a while.
  void stay(std::size_t ring, unsigned consumer, bool& waits_for_start) {
    std::optional<Clock::time_point> leave_at;
    if (options_.churn) leave_at = Clock::now() + part_of_run(4);
    run_session(ring, plan_for(ring, consumer), leave_at, &waits_for_start);
  }

  /// Joins late; consumer 0 then stays, others leave early and join again; each
  /// is there for the end.
  void come_and_go(std::size_t ring, unsigned consumer) {
    Random random(mix(options_.seed ^ (ring << 32) ^ (consumer + 1)));
    for (bool last = false; !last;) {
      pause(part_of_run(8 + random.below(24)));
      last = finished_.stop_requested();
      SessionPlan plan = plan_for(ring, consumer);
      plan.start_at = !last && random.below(2) == 0 ? StartAt::kNewest : StartAt::kOldest;
      plan.resync_to = random.below(4) == 0 ? ResyncTo::kNewest : ResyncTo::kOldest;
      std::optional<Clock::time_point> leave_at;
      if (!last && consumer != 0) leave_at = Clock::now() + part_of_run(4 + random.below(60));
      last = run_session(ring, plan, leave_at, nullptr) || last;
    }
  }

  /// @return whether it ran to the end of the stream.
  bool run_session(std::size_t ring, const SessionPlan& plan,
                   std::optional<Clock::time_point> leave_at, bool* waits_for_start) {
    RingLink link = rings_[ring]->join({.start_at = plan.start_at, .doorbell = parks()});
    ConsumerReport report;
    std::string rung;
    with_layout(options_.shape.slot, [&](auto layout) {
      Session<decltype(layout)> session(options_, plan, std::move(link));
      if (waits_for_start != nullptr) {
        *waits_for_start = false;
        joined_.count_down();
      }
      const Leaving leaving(finished_.get_token(), leave_at);
      report = session.run(leaving.token(), finished_.get_token());
      if (report.ran_to_end) {
        report.missing = session.stream_check().missing(producers_.tallies(ring));
      }
      if (parks()) rung = session.rung();
    });
    const std::lock_guard held(mutex_);
    if (rung_.empty()) rung_ = rung;
    reports_[ring].push_back(report);
    return report.ran_to_end;
  }

  bool parks() const noexcept {
    return options_.strategy == WaitStrategy::kAdaptive || options_.strategy == WaitStrategy::kPark;
  }

  SessionPlan plan_for(std::size_t ring, unsigned consumer) const {
    const bool one_by_one = options_.read_way == ReadWay::kOne ||
                            (options_.read_way == ReadWay::kMixed && consumer % 2 == 1);
    SessionPlan plan;
    plan.consumer = consumer;
    plan.key = ring_key(options_.seed, ring);
    plan.burst_count = one_by_one ? 1 : options_.burst_count;
    plan.forgets_one = options_.fault == Fault::kForget && ring == 0 && consumer == 0;
    return plan;
  }

  Clock::duration part_of_run(std::uint64_t divisor) const {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(options_.seconds / static_cast<double>(divisor)));
  }

  /// Sleeps; ends early when the stream does.
  void pause(Clock::duration duration) const {
    const auto until = Clock::now() + duration;
    while (Clock::now() < until && !finished_.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  const StressOptions& options_;
  const std::vector<std::unique_ptr<StressRing>>& rings_;
  ProducerGroup& producers_;
  std::vector<std::vector<ConsumerReport>> reports_;
  std::vector<std::string> problems_;
  std::string rung_;
  std::mutex mutex_;
  std::latch joined_;
  std::stop_source finished_;  ///< the last event is published
  std::vector<std::thread> threads_;
};

}  // namespace

void pin_stress_thread(const StressOptions& options, std::size_t index) {
  if (!options.cpus.empty()) pin_this_thread(options.cpus[index % options.cpus.size()]);
}

std::vector<std::size_t> rings_of_producer(const StressOptions& options, std::size_t producer) {
  if (options.producer_count >= options.ring_count) return {producer % options.ring_count};
  std::vector<std::size_t> rings;
  for (std::size_t ring = producer; ring < options.ring_count; ring += options.producer_count) {
    rings.push_back(ring);
  }
  return rings;
}

std::size_t producers_of_ring(const StressOptions& options, std::size_t ring) {
  if (options.producer_count <= options.ring_count) return 1;
  const std::size_t rest = options.producer_count % options.ring_count;
  return options.producer_count / options.ring_count + (ring < rest ? 1 : 0);
}

StressReport run_stress(const StressOptions& options,
                        const std::vector<std::unique_ptr<StressRing>>& rings,
                        ProducerGroup& producers) {
  StressReport report;
  report.seed = options.seed;
  report.rings.resize(rings.size());
  ConsumerGroup consumers(options, rings, producers);
  consumers.start();
  const auto begin = Clock::now();
  producers.start();
  report.interrupted = stop::sleep_for(
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds)));
  producers.stop(report.problems);
  report.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  consumers.finish();
  for (std::size_t ring = 0; ring < rings.size(); ++ring) {
    RingReport& entry = report.rings[ring];
    const Mapping mapping = rings[ring]->mapping();
    entry.name = rings[ring]->name();
    entry.producers = producers.tallies(ring);
    entry.head_published =
        AnyConsumer(mapping, StartAt::kNewest).cursor() - mapping.geometry().first_sequence;
    rings[ring]->read_counts(entry);
  }
  consumers.collect(report);
  return report;
}

}  // namespace evring::stress
