// SPDX-License-Identifier: MIT
// The table of loops that a case can name.
#include "cases.hpp"

#include "loops.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace evring::bench {

using nlohmann::json;

// A new loop: its function declared in loops.hpp, and a line here.
const std::vector<Loop>& all_loops() {
  static const std::vector<Loop> loops = {
      {"throughput", "one producer at full speed, every payload checked", throughput_record},
      {"same-thread", "produce and consume on one thread", same_thread_record},
      {"instructions", "same-thread, counted by callgrind", instructions_record},
      {"ping-pong", "round trips, in turns with bare lines", ping_pong_record},
      {"stopped-consumer", "overwrite mode with a consumer stopped or killed, and without",
       stopped_consumer_record},
      {"latency", "one-way latency at a rate", latency_record},
      {"bare-plain", "64-byte lines streamed by 64-bit stores", bare_plain_record},
      {"bare-vector", "64-byte lines streamed by vector stores", bare_vector_record},
      {"eventfd-wake", "waking a sleeper by eventfd", eventfd_wake_record},
      {"futex-wake", "waking a sleeper by futex", futex_wake_record},
      {"doorbell-wake", "waking a sleeper by a ring's doorbell", doorbell_wake_record},
      {"syscall", "one system call", syscall_record},
      {"doorbell-look", "publishing with doorbells / without, in turns", doorbell_look_record},
      {"parked-wake", "waking a parked poller / a bare eventfd, in turns", parked_wake_record},
      {"parked-idle", "CPU time of a parked poller", parked_idle_record},
      {"moderation", "doorbells counted, less those of the formula", moderation_record},
      {"many-rings", "one busy ring among 1,024 / alone, in turns", many_rings_record},
      {"rate-sweep", "adaptive / the worse of spin and park, in turns", rate_sweep_record},
      {"waiting", "p50 of one way to wait: STRATEGY[:SPIN_US[:WAKE_EVENTS:WAKE_US]]",
       waiting_record},
  };
  return loops;
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
  if (!variant.empty()) list.push_back("--variant=" + variant);
  if (event_count != 0) list.push_back(fmt::format("--events={}", event_count));
  if (!fifo) list.push_back("--no-fifo");
  return list;
}

json run_case(const Case& one) {
  for (const Loop& loop : all_loops()) {
    if (loop.name == one.loop) return loop.run(one);
  }
  throw std::invalid_argument("no loop " + one.loop);
}

}  // namespace evring::bench
