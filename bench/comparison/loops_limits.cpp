// SPDX-License-Identifier: MIT
// The loops that have no queue in them: what this machine allows.
#include "loops.hpp"

#include <bench/measure/bare_lines.hpp>
#include <bench/measure/wake.hpp>

namespace evring::bench {
namespace {

using nlohmann::json;

json bare_record(const Case& one, LineStore store) {
  const ThroughputResult result = run_bare_lines(run_options(one), store);
  return rate_record(result, static_cast<double>(result.published) / result.seconds);
}

json wake_record(const Case& one, WakeResult (*run)(const WakeOptions&)) {
  WakeOptions options{.round_count = 50};
  options.placement.fifo = one.fifo;
  const WakeResult result = run(options);
  return {{"value", result.p50_ns},          {"unit", "ns"},
          {"exact", result.exact},           {"p99_ns", result.p99_ns},
          {"waker_ns", result.waker_p50_ns}, {"doorbells", result.doorbells}};
}

}  // namespace

json bare_plain_record(const Case& one) { return bare_record(one, LineStore::kPlain); }
json bare_vector_record(const Case& one) { return bare_record(one, LineStore::kVector); }
json eventfd_wake_record(const Case& one) { return wake_record(one, run_eventfd_wake); }
json futex_wake_record(const Case& one) { return wake_record(one, run_futex_wake); }
json doorbell_wake_record(const Case& one) { return wake_record(one, run_doorbell_wake); }
json syscall_record(const Case&) {
  return {{"value", syscall_ns()}, {"unit", "ns"}, {"exact", true}};
}

}  // namespace evring::bench
