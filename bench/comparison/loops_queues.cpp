// SPDX-License-Identifier: MIT
// The loops that every contender runs.
#include "loops.hpp"

#include <bench/measure/registry.hpp>

#include <algorithm>
#include <stdexcept>

namespace evring::bench {

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
  if (!one.variant.empty() && one.variant != kSpread) {
    throw std::invalid_argument("throughput: the variant is " + std::string(kSpread) +
                                " or none, not \"" + one.variant + "\"");
  }
  RunOptions options = run_options(one);
  options.placement.producer_alone = one.variant != kSpread;
  const ThroughputResult result = found.throughput(options);
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
  return {{"value", result.p50_ns},
          {"unit", "ns"},
          {"exact", result.exact},
          {"p90_ns", result.p90_ns},
          {"p99_ns", result.p99_ns},
          {"p999_ns", result.p999_ns},
          {"max_ns", result.max_ns},
          {"reached_hz", result.reached_hz},
          {"one_line_ns", result.one_line_ns}};
}

}  // namespace evring::bench
