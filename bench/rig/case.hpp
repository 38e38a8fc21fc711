// SPDX-License-Identifier: MIT
// What the rig is about: a case, the loop that runs it, the contender that it runs, and the
// record that comes of it. A case runs in a process of its own, so that no contender inherits
// another's memory or luck.
#pragma once

#include <bench/rig/payload.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace evring::bench {

/// One loop, one contender, one point on the axes.
struct Case {
  std::string loop = "throughput";
  std::string contender{};  ///< "" for a loop that is no queue's
  std::string variant{};    ///< what the loop tells apart besides, in its own words
  std::size_t payload_bytes = 56;
  std::size_t burst_count = 32;  ///< events a call
  unsigned consumer_count = 1;
  unsigned producer_count = 1;  ///< more than one: the race in the guest alone
  std::size_t slot_count = 4096;
  unsigned ring_count = 1024;  ///< many-rings: the busy one included
  double rate_hz = 0;          ///< of a paced producer; 0: as fast as it goes
  unsigned duration_ms = 100;
  std::uint64_t event_count = 0;  ///< instead of a duration, where it is not 0
  bool fifo = true;               ///< SCHED_FIFO where it is allowed
  std::vector<int> cpus{};        ///< of the roles in turn; empty: all that are allowed
  bool huge_pages = false;        ///< for evring's rings
};

/// The same with one consumer, for loops that have no more.
inline Case with_one_consumer(Case one) {
  one.consumer_count = 1;
  return one;
}

/// {"value", "unit", "exact", …}: value is events/s for rates and ns for most else; exact
/// says that all that could be checked added up.
using Record = nlohmann::json;
using Run = Record (*)(const Case&);

/// A loop that is no queue's, or that has queues of its own.
struct Loop {
  std::string name;
  std::string what;  ///< one line for people
  Run run = nullptr;
};

/// Who a contender is, for the bars.
enum class Origin {
  kEvring,
  kPackaged,
  kBaseline,  ///< the mutex list, and plain queues that mark the ceiling
  kProtocol,  ///< what others' designs come to, written here in the plainest good form
  kKernel,    ///< passes through the kernel
  kNone,      ///< no queue at all
};

struct Contender {
  std::string name;  ///< as typed: "evring-gated"
  std::string what;  ///< one line for people
  Origin origin = Origin::kPackaged;
  Delivery delivery = Delivery::kEach;
  std::size_t payload_bytes = 0;
  std::map<std::string, Run> loops{};  ///< those compiled for it, by name
};

/// A contender that this build lacks, with the package that brings it.
struct MissingPeer {
  std::string name;
  std::string package;
};

// Each program has its own: rig/loops.cpp and contenders/registry.cpp, guest/registry.cpp.
const std::vector<Loop>& all_loops();
const std::vector<Contender>& all_contenders();
const std::vector<MissingPeer>& missing_peers();

/// @throws std::invalid_argument naming what there is, when there is no such one.
const Contender& find_contender(std::string_view name, std::size_t payload_bytes);

/// Runs it here and now. @throws std::invalid_argument naming what does not exist.
Record run_case(const Case& one);

/// What `evring_rig list` prints: contenders, loops, missing peers, this build.
Record listing();

}  // namespace evring::bench
