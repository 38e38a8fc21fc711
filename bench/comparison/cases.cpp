// SPDX-License-Identifier: MIT
// Running one case.
#include "cases.hpp"

#include <bench/measure/wake.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace evring::bench {
namespace {

using nlohmann::json;

RunOptions run_options(const Case& one) {
  RunOptions options;
  options.slot_count = one.slot_count;
  options.consumer_count = one.consumer_count;
  options.burst_count = one.burst_count;
  options.event_count = one.event_count;
  if (one.event_count == 0) options.duration = std::chrono::milliseconds(one.duration_ms);
  options.placement.fifo = one.fifo;
  return options;
}

json rate_record(const ThroughputResult& result, double per_second) {
  return {{"value", per_second},
          {"unit", "events/s"},
          {"exact", result.verdict.exact},
          {"published", result.published},
          {"published_per_second", result.published_per_second()},
          {"received", result.verdict.received},
          {"lost", result.verdict.lost},
          {"torn", result.verdict.torn},
          {"out_of_order", result.verdict.out_of_order},
          {"seconds", result.seconds}};
}

json throughput_record(const Case& one) {
  const Contender& found = find_contender(one.contender, one.payload_bytes);
  if (found.throughput == nullptr) throw std::invalid_argument(one.contender + ": one thread only");
  const ThroughputResult result = found.throughput(run_options(one));
  return rate_record(result, result.delivered_per_second(one.consumer_count, found.delivery));
}

json same_thread_record(const Case& one) {
  RunOptions options = run_options(one);
  options.placement.enter(0);
  options.event_count = one.event_count == 0 ? std::uint64_t{1} << 20 : one.event_count;
  const ThroughputResult result =
      find_contender(one.contender, one.payload_bytes).same_thread(options);
  json record = rate_record(result, 0);
  record["value"] = result.seconds * 1e9 / static_cast<double>(result.published);
  record["unit"] = "ns/event";
  return record;
}

json ping_pong_record(const Case& one) {
  PingPongOptions options;
  options.slot_count = one.slot_count;
  options.placement.fifo = one.fifo;
  const PingPongResult result = find_contender(one.contender, one.payload_bytes).ping_pong(options);
  return {{"value", result.round_trip_ns},
          {"unit", "ns"},
          {"exact", result.exact},
          {"one_line_ns", result.one_line_ns},
          {"two_line_ns", result.two_line_ns}};
}

json latency_record(const Case& one) {
  LatencyOptions options;
  options.slot_count = one.slot_count;
  options.rate_hz = one.rate_hz;
  options.event_count =
      std::max<std::uint64_t>(100, static_cast<std::uint64_t>(one.rate_hz * one.duration_ms / 1e3));
  options.placement.fifo = one.fifo;
  const LatencyResult result = find_contender(one.contender, one.payload_bytes).latency(options);
  return {{"value", result.p50_ns},  {"unit", "ns"},
          {"exact", result.exact},   {"p90_ns", result.p90_ns},
          {"p99_ns", result.p99_ns}, {"p999_ns", result.p999_ns},
          {"max_ns", result.max_ns}, {"reached_hz", result.reached_hz}};
}

json wake_record(const Case& one, WakeResult (*run)(const WakeOptions&)) {
  WakeOptions options{.round_count = 50};
  options.placement.fifo = one.fifo;
  const WakeResult result = run(options);
  return {{"value", result.p50_ns},          {"unit", "ns"},
          {"exact", result.exact},           {"p99_ns", result.p99_ns},
          {"waker_ns", result.waker_p50_ns}, {"doorbells", result.doorbells}};
}

json limit_record(const Case& one) {
  if (one.loop == "bare-plain" || one.loop == "bare-vector") {
    const ThroughputResult result = run_bare_lines(
        run_options(one), one.loop == "bare-plain" ? LineStore::kPlain : LineStore::kVector);
    return rate_record(result, static_cast<double>(result.published) / result.seconds);
  }
  if (one.loop == "eventfd-wake") return wake_record(one, run_eventfd_wake);
  if (one.loop == "futex-wake") return wake_record(one, run_futex_wake);
  if (one.loop == "doorbell-wake") return wake_record(one, run_doorbell_wake);
  if (one.loop == "syscall") return {{"value", syscall_ns()}, {"unit", "ns"}, {"exact", true}};
  throw std::invalid_argument("no loop " + one.loop);
}

}  // namespace

std::string Case::id() const {
  if (contender.empty()) {
    const bool lines = loop == "bare-plain" || loop == "bare-vector";
    return lines ? fmt::format("{}/burst{}/{}", loop, burst_count, slot_count) : loop;
  }
  std::string text = fmt::format("{}/{}/{}B", loop, contender, payload_bytes);
  if (loop == "latency") return text + fmt::format("/{:.0f}Hz/{}", rate_hz, slot_count);
  if (loop == "ping-pong") return text;
  text += fmt::format("/burst{}", burst_count);
  return loop == "same-thread" ? text : text + fmt::format("/{}c/{}", consumer_count, slot_count);
}

std::vector<std::string> Case::arguments() const {
  std::vector<std::string> list = {"one",
                                   "--loop=" + loop,
                                   fmt::format("--payload={}", payload_bytes),
                                   fmt::format("--burst={}", burst_count),
                                   fmt::format("--consumers={}", consumer_count),
                                   fmt::format("--slots={}", slot_count),
                                   fmt::format("--rate={}", rate_hz),
                                   fmt::format("--duration-ms={}", duration_ms)};
  if (!contender.empty()) list.push_back("--contender=" + contender);
  if (event_count != 0) list.push_back(fmt::format("--events={}", event_count));
  if (!fifo) list.push_back("--no-fifo");
  return list;
}

json run_case(const Case& one) {
  json record;
  if (one.loop == "throughput") {
    record = throughput_record(one);
  } else if (one.loop == "same-thread") {
    record = same_thread_record(one);
  } else if (one.loop == "ping-pong") {
    record = ping_pong_record(one);
  } else if (one.loop == "latency") {
    record = latency_record(one);
  } else {
    record = limit_record(one);
  }
  record["id"] = one.id();
  return record;
}

std::vector<Case> plan_round(bool quick) {
  std::vector<Case> plan;
  Case base;
  base.duration_ms = quick ? 40 : 100;
  for (const char* loop : {"bare-plain", "bare-vector"}) {
    for (const std::size_t burst : {32, 256}) {
      Case one = base;
      one.loop = loop;
      one.burst_count = burst;
      plan.push_back(one);
    }
  }
  for (const char* loop : {"eventfd-wake", "futex-wake", "doorbell-wake", "syscall"}) {
    Case one = base;
    one.loop = loop;
    plan.push_back(one);
  }
  const std::vector<std::size_t> bursts =
      quick ? std::vector<std::size_t>{1, 32} : std::vector<std::size_t>{1, 8, 32, 256};
  const std::vector<unsigned> consumers =
      quick ? std::vector<unsigned>{1, 2, 4} : std::vector<unsigned>{1, 2, 4, 8};
  for (const Contender& each : all_contenders()) {
    Case of = base;
    of.contender = each.name;
    of.payload_bytes = each.payload_bytes;
    for (const std::size_t burst : {std::size_t{1}, std::size_t{32}}) {
      of.loop = "same-thread";
      of.burst_count = burst;
      plan.push_back(of);
    }
    if (!each.two_threads) continue;
    of.loop = "ping-pong";
    plan.push_back(of);
    of.loop = "throughput";
    for (const std::size_t burst : bursts) {
      for (const unsigned count : consumers) {
        if (count > 1 && (each.payload_bytes == 16 || (burst != 1 && burst != 32))) continue;
        of.burst_count = burst;
        of.consumer_count = count;
        plan.push_back(of);
      }
    }
    of.burst_count = 32;
    of.consumer_count = 1;
    if (!quick) {
      of.slot_count = 65536;
      plan.push_back(of);
      of.slot_count = base.slot_count;
    }
    if (each.payload_bytes == 16) continue;
    of.loop = "latency";
    for (const double rate_hz : {1e3, 1e4, 1e5, 1e6}) {
      of.rate_hz = rate_hz;
      plan.push_back(of);
    }
  }
  return plan;
}

}  // namespace evring::bench
