// SPDX-License-Identifier: MIT
// How contenders are named: a row for each, with the loops compiled for it.
#pragma once

#include <bench/rig/latency.hpp>
#include <bench/rig/ping_pong.hpp>
#include <bench/rig/throughput.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace evring::bench {

using Registry = std::vector<Contender>;

/// A row whose every loop is `Queue`'s.
template <class Queue>
Contender row(std::string name, std::string what, Origin origin) {
  return {.name = std::move(name),
          .what = std::move(what),
          .origin = origin,
          .delivery = Queue::kDelivery,
          .payload_bytes = Queue::kPayloadBytes,
          .loops = {{"throughput", throughput<Queue>},
                    {"same-thread", same_thread<Queue>},
                    {"ping-pong", ping_pong<Queue>},
                    {"latency", latency<Queue>}}};
}

/// A row for each payload that is compared: 56 bytes and 16. `Queue` has a name of its own in
/// the program: GCC gives an alias of an unnamed namespace the linkage of its name.
template <template <std::size_t> class Queue>
void add(Registry& registry, const std::string& name, const std::string& what, Origin origin) {
  registry.push_back(row<Queue<56>>(name, what, origin));
  registry.push_back(row<Queue<16>>(name, what, origin));
}

// A file each. Of a peer whose package is absent there is none; see registry.cpp.
void add_evring(Registry& registry);
void add_baselines(Registry& registry);
void add_boost(Registry& registry);
void add_moodycamel(Registry& registry);
void add_atomic_queue(Registry& registry);
void add_tbb(Registry& registry);
void add_wfcqueue(Registry& registry);
void add_rte_ring(Registry& registry);

}  // namespace evring::bench
