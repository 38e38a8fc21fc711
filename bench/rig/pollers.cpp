// SPDX-License-Identifier: MIT
// Pollers fed in turns by this thread, so that a ratio compares the same seconds: one ring beside
// a thousand quiet ones, and three ways to wait.
#include <bench/rig/fed_poller.hpp>
#include <bench/rig/loops.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace evring::bench {
namespace {

constexpr unsigned kTurns = 3;  // of each poller
constexpr std::chrono::milliseconds kWarmUp{15};
constexpr double kEventsAtLeast = 100;  // of a turn

/// Ticks by which the second CPU's counter is ahead of the first's.
std::int64_t tick_offset(const Placement& placement) {
  std::vector<std::int64_t> offsets;
  for (int i = 0; i < 9; ++i) {
    OffsetProbe probe;
    Rig rig(placement, 2);
    const auto ask = [&] {
      rig.meet();
      probe.ask();
    };
    rig.run({ask, [&] {
               rig.meet();
               probe.answer();
             }});
    offsets.push_back(probe.offset_ticks());
  }
  return median(offsets);
}

/// The turns of one poller.
class Turns {
 public:
  Turns(const Case& one, const PollerOptions& options, std::int64_t tick_offset,
        unsigned quiet_ring_count = 0)
      : one_(one), poller_(one, options, tick_offset, quiet_ring_count) {}

  /// Feeds it for a warm-up and the case's duration, at its rate.
  void turn() {
    const double at_least_ms = one_.rate_hz == 0 ? 0 : kEventsAtLeast * 1e3 / one_.rate_hz;
    const std::chrono::milliseconds duration(
        std::max<long>(one_.duration_ms, std::lround(at_least_ms)));
    const double cpu_us = poller_.cpu_us();
    poller_.measure(false);
    poller_.start();
    poller_.feed(one_, kWarmUp);
    const Clock::time_point begin = Clock::now();
    const std::uint64_t before = poller_.received();
    poller_.measure(true);
    poller_.feed(one_, duration);
    const double seconds = seconds_between(begin, Clock::now());
    const std::uint64_t events = poller_.received() - before;
    poller_.measure(false);
    poller_.stop();
    std::vector<std::int64_t>& samples = poller_.samples();
    std::sort(samples.begin(), samples.end());
    rates_.push_back(static_cast<double>(events) / seconds);
    middles_.push_back(static_cast<double>(percentile_sorted(samples, 0.50)) / ticks_per_ns());
    tails_.push_back(static_cast<double>(percentile_sorted(samples, 0.99)) / ticks_per_ns());
    const std::chrono::duration<double, std::micro> whole = kWarmUp + duration;
    cpu_shares_.push_back((poller_.cpu_us() - cpu_us) / whole.count());
    samples.clear();
  }

  /// Medians over the turns; p50 of publish to handler, at full speed of each burst's first
  /// event; the share of a CPU that the poller took.
  Record summary() const {
    return {{"exact", poller_.exact()},
            {"events_per_second", median(rates_)},
            {"p50_ns", median(middles_)},
            {"p99_ns", median(tails_)},
            {"poller_cpu_share", median(cpu_shares_)},
            {"doorbells", poller_.doorbells_rung()},
            {"parks", std::uint64_t{poller_.counters().parks}}};
  }

 private:
  const Case one_;
  FedPoller poller_;
  std::vector<double> rates_;
  std::vector<double> middles_;
  std::vector<double> tails_;
  std::vector<double> cpu_shares_;
};

/// Each some turns, another one first each time.
std::vector<Record> in_turns(const std::vector<Turns*>& pollers) {
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    for (std::size_t i = 0; i < pollers.size(); ++i) {
      pollers[(turn + i) % pollers.size()]->turn();
    }
  }
  std::vector<Record> summaries;
  for (const Turns* each : pollers) summaries.push_back(each->summary());
  return summaries;
}

double of(const Record& summary, const char* key) { return summary[key].get<double>(); }

/// "adaptive:50:1:0": strategy, spin, watermark, time after the first event.
PollerOptions options_of(const std::string& text) {
  std::istringstream parts(text);
  std::string part;
  std::getline(parts, part, ':');
  const auto strategy = parse_wait_strategy(part);
  if (!strategy) throw std::invalid_argument("no wait strategy " + part);
  PollerOptions options;
  options.strategy = *strategy;
  if (std::getline(parts, part, ':')) options.spin = std::chrono::microseconds(std::stol(part));
  if (std::getline(parts, part, ':')) {
    options.arm.wake_events = static_cast<std::uint16_t>(std::stoul(part));
  }
  if (std::getline(parts, part, ':')) options.arm.wake = std::chrono::microseconds(std::stol(part));
  return options;
}

}  // namespace

/// What quiet rings cost a busy one. Wants four descriptors a ring.
Record many_rings(const Case& one) {
  const Placement placement = Placement::of(one);
  const std::int64_t offset = tick_offset(placement);
  placement.enter(0);
  const PollerOptions options = options_of(one.variant);
  Turns alone(one, options, offset);
  Turns among_many(one, options, offset, one.ring_count - 1);
  const std::vector<Record> found = in_turns({&alone, &among_many});
  return {{"value", of(found[1], "events_per_second") / of(found[0], "events_per_second")},
          {"unit", "ratio"},
          {"exact", found[0]["exact"] && found[1]["exact"]},
          {"p50_ratio", of(found[1], "p50_ns") / of(found[0], "p50_ns")},
          {"alone", found[0]},
          {"among_many", found[1]}};
}

/// One rate, three ways to wait. The value: adaptive beside the worse of the other two, by
/// events a second or by p50, whichever it is worse in.
Record rate_sweep(const Case& one) {
  const Placement placement = Placement::of(one);
  const std::int64_t offset = tick_offset(placement);
  placement.enter(0);
  Turns spin(one, options_of("busy-spin"), offset);
  Turns park(one, options_of("park"), offset);
  Turns adaptive(one, options_of("adaptive"), offset);
  const std::vector<Record> found = in_turns({&spin, &park, &adaptive});
  const auto of_worse = [&](const char* key, auto worse) {
    return of(found[2], key) / worse(of(found[0], key), of(found[1], key));
  };
  const double rate =
      of_worse("events_per_second", [](double a, double b) { return std::min(a, b); });
  const double p50 = of_worse("p50_ns", [](double a, double b) { return std::max(a, b); });
  return {{"value", std::min(rate, 1 / p50)},
          {"unit", "ratio"},
          {"exact", found[0]["exact"] && found[1]["exact"] && found[2]["exact"]},
          {"spin", found[0]},
          {"park", found[1]},
          {"adaptive", found[2]}};
}

Record waiting(const Case& one) {
  const Placement placement = Placement::of(one);
  const std::int64_t offset = tick_offset(placement);
  placement.enter(0);
  PollerOptions options = options_of(one.variant);
  options.burst_count = one.burst_count;
  Turns poller(one, options, offset);
  Record record = in_turns({&poller})[0];
  record["value"] = record["p50_ns"];
  record["unit"] = "ns";
  return record;
}

}  // namespace evring::bench
