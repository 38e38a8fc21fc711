// SPDX-License-Identifier: MIT
// The loops of bars 9 to 12. Both sides of each ratio run
// in turns in the case's one process.
#include "loops.hpp"

#include <bench/measure/doorbell_look.hpp>
#include <bench/measure/many_rings.hpp>
#include <bench/measure/parked.hpp>
#include <bench/measure/rate_sweep.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>

namespace evring::bench {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

Placement placement_of(const Case& one) {
  Placement placement;
  placement.fifo = one.fifo;
  return placement;
}

WaitStrategy strategy_of(const Case& one) {
  const auto strategy = parse_wait_strategy(one.variant);
  if (!strategy) throw std::invalid_argument("no wait strategy " + one.variant);
  return *strategy;
}

RigLoad load_of(const Case& one) {
  return {.rate_hz = one.rate_hz,
          .warm_up = 15ms,
          .duration = std::chrono::milliseconds(one.duration_ms)};
}

json summary_json(const RigSummary& summary) {
  return {{"events_per_second", summary.events_per_second},
          {"p50_ns", summary.p50_ns},
          {"p99_ns", summary.p99_ns},
          {"poller_cpu_share", summary.poller_cpu_share},
          {"doorbells", summary.doorbells},
          {"parks", summary.parks}};
}

/// "adaptive:50:1:0": strategy, spin, watermark, time after the first event.
PollerOptions waiting_of(const std::string& text, PollerOptions options) {
  std::istringstream parts(text);
  std::string part;
  std::getline(parts, part, ':');
  const auto strategy = parse_wait_strategy(part);
  if (!strategy) throw std::invalid_argument("no wait strategy " + part);
  options.strategy = *strategy;
  if (std::getline(parts, part, ':')) options.spin = std::chrono::microseconds(std::stol(part));
  if (std::getline(parts, part, ':')) {
    options.arm.wake_events = static_cast<std::uint16_t>(std::stoul(part));
  }
  if (std::getline(parts, part, ':')) options.arm.wake = std::chrono::microseconds(std::stol(part));
  return options;
}

Moderation moderation_of(const Case& one) {
  if (one.variant == "none") return {.gap = 2ms};
  if (one.variant == "count") {
    return {.wake_events = 10, .wake = 1s, .burst_count = 4, .gap = 2ms};
  }
  if (one.variant == "time") {
    return {.wake_events = 1000, .wake = 25ms, .burst_count = 4, .gap = 10ms, .batch_count = 30};
  }
  throw std::invalid_argument("no moderation " + one.variant + ": none, count or time");
}

}  // namespace

json doorbell_look_record(const Case& one) {
  DoorbellLookOptions options{.slot_count = one.slot_count, .burst_count = one.burst_count};
  options.placement = placement_of(one);
  const DoorbellLookResult result = run_doorbell_look(options);
  return {{"value", result.ratio},
          {"unit", "ratio"},
          {"exact", result.exact},
          {"looking_ns", result.looking_ns},
          {"silent_ns", result.silent_ns}};
}

json parked_wake_record(const Case& one) {
  ParkedWakeOptions options;
  options.placement = placement_of(one);
  const ParkedWakeResult result = run_parked_wake(options);
  return {{"value", result.poller_p50_ns / result.eventfd_p50_ns},
          {"unit", "ratio"},
          {"exact", result.exact},
          {"poller_p50_ns", result.poller_p50_ns},
          {"eventfd_p50_ns", result.eventfd_p50_ns},
          {"waker_p50_ns", result.waker_p50_ns},
          {"idle_periods", result.idle_periods},
          {"doorbells", result.doorbells},
          {"doorbells_an_idle_period",
           static_cast<double>(result.doorbells) / static_cast<double>(result.idle_periods)}};
}

// Variant "max-idle": with the default's look every second; else without any.
json parked_idle_record(const Case& one) {
  const ParkedIdleResult result = run_parked_idle(std::chrono::milliseconds(one.duration_ms),
                                                  one.variant == "max-idle", placement_of(one));
  return {{"value", result.poller_cpu_us / result.seconds},
          {"unit", "us of CPU a second"},
          {"exact", result.exact},
          {"seconds", result.seconds},
          {"poller_cpu_us", result.poller_cpu_us},
          {"reader_cpu_us", result.reader_cpu_us},
          {"wake_ups", result.wake_ups}};
}

json moderation_record(const Case& one) {
  const ModerationResult result = run_moderation(moderation_of(one), placement_of(one));
  const auto off = [&](std::uint64_t counted) {
    return std::abs(static_cast<double>(counted) - static_cast<double>(result.expected));
  };
  return {{"value", std::max(off(result.rung), off(result.woken))},
          {"unit", "doorbells"},
          {"exact", result.exact},
          {"expected", result.expected},
          {"rung", result.rung},
          {"woken", result.woken}};
}

json many_rings_record(const Case& one) {
  ManyRingsOptions options{.strategy = strategy_of(one), .load = load_of(one)};
  options.placement = placement_of(one);
  const ManyRingsResult result = run_many_rings(options);
  return {{"value", result.among_many.events_per_second / result.alone.events_per_second},
          {"unit", "ratio"},
          {"exact", result.alone.exact && result.among_many.exact},
          {"p50_ratio", result.among_many.p50_ns / result.alone.p50_ns},
          {"alone_p50_ns", result.alone.p50_ns},
          {"among_many_p50_ns", result.among_many.p50_ns},
          {"alone", summary_json(result.alone)},
          {"among_many", summary_json(result.among_many)}};
}

json rate_sweep_record(const Case& one) {
  RateSweepOptions options{.load = load_of(one)};
  options.placement = placement_of(one);
  const RateSweepResult result = run_rate_sweep(options);
  return {{"value", std::min(result.throughput_ratio(), result.latency_ratio())},
          {"unit", "ratio"},
          {"exact", result.spin.exact && result.park.exact && result.adaptive.exact},
          {"throughput_ratio", result.throughput_ratio()},
          {"latency_ratio", result.latency_ratio()},
          {"spin", summary_json(result.spin)},
          {"park", summary_json(result.park)},
          {"adaptive", summary_json(result.adaptive)}};
}

// For tuning: what a strategy, its spin time and its moderation do at a rate.
json waiting_record(const Case& one) {
  RigOptions options;
  options.placement = placement_of(one);
  options.slot_count = one.slot_count;
  options.burst_count = options.poller.burst_count = one.burst_count;
  options.poller = waiting_of(one.variant, options.poller);
  PollerRig rig(options, measure_tick_offset(options.placement));
  const RigSummary found = run_in_turns({&rig}, load_of(one), 3)[0];
  json record = summary_json(found);
  record["value"] = found.p50_ns;
  record["unit"] = "ns";
  record["exact"] = found.exact;
  return record;
}

}  // namespace evring::bench
