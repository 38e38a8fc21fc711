// SPDX-License-Identifier: MIT
// Every contender that this build has, by name, with the loops compiled for it.
// Rows are added in registry_*.cpp.
#pragma once

#include <bench/measure/latency.hpp>
#include <bench/measure/ping_pong.hpp>
#include <bench/measure/same_thread.hpp>
#include <bench/measure/throughput.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace evring::bench {

/// Who a contender is, for the bars: what is ours, what comes packaged, what is a
/// baseline, and what passes through the kernel.
enum class Origin { kEvring, kPackaged, kBaseline, kKernel, kNone };

struct Contender {
  std::string name;  ///< as typed: "evring-gated"
  std::string what;  ///< one line for people
  Origin origin = Origin::kPackaged;
  Delivery delivery = Delivery::kEach;
  std::size_t payload_bytes = 0;
  bool two_threads = true;  ///< false: no queue between, so no throughput run
  ThroughputResult (*throughput)(const RunOptions&) = nullptr;
  ThroughputResult (*same_thread)(const RunOptions&) = nullptr;
  PingPongResult (*ping_pong)(const PingPongOptions&) = nullptr;
  LatencyResult (*latency)(const LatencyOptions&) = nullptr;
};

/// An entry whose every loop is `Queue`'s.
template <class Queue>
Contender contender(std::string name, std::string what, Origin origin) {
  return {.name = std::move(name),
          .what = std::move(what),
          .origin = origin,
          .delivery = Queue::kDelivery,
          .payload_bytes = Queue::kPayloadBytes,
          .throughput = run_throughput<Queue>,
          .same_thread = run_same_thread<Queue>,
          .ping_pong = run_ping_pong<Queue>,
          .latency = run_latency<Queue>};
}

using Registry = std::vector<Contender>;

/// A row for each payload that is compared: 56 bytes and 16.
template <template <std::size_t> class Queue>
void add(Registry& registry, const std::string& name, const std::string& what, Origin origin) {
  registry.push_back(contender<Queue<56>>(name, what, origin));
  registry.push_back(contender<Queue<16>>(name, what, origin));
}

void register_evring(Registry& registry);
void register_peers(Registry& registry);
void register_rte_ring(Registry& registry);
void register_baselines(Registry& registry);

/// All of this build, in the order above.
const Registry& all_contenders();

/// "each", "lossy" or "shared".
const char* delivery_name(Delivery delivery) noexcept;

/// "evring", "packaged", "baseline", "kernel" or "none".
const char* origin_name(Origin origin) noexcept;

/// Peers that this build lacks, with the package that brings them.
struct MissingPeer {
  std::string name;
  std::string package;
};
const std::vector<MissingPeer>& missing_peers();

/// @throws std::invalid_argument naming what there is, when there is no such one.
const Contender& find_contender(const std::string& name, std::size_t payload_bytes);

}  // namespace evring::bench
