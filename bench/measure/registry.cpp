// SPDX-License-Identifier: MIT
// Which contenders this build has. EVRING_WITH_* come from bench/CMakeLists.txt.
#include <bench/measure/registry.hpp>

namespace evring::bench {

const Registry& all_contenders() {
  static const Registry registry = [] {
    Registry all;
    register_evring(all);
    register_peers(all);
#ifdef EVRING_WITH_RTE_RING
    register_rte_ring(all);
#endif
    register_baselines(all);
    return all;
  }();
  return registry;
}

const char* delivery_name(Delivery delivery) noexcept {
  if (delivery == Delivery::kShared) return "shared";
  return delivery == Delivery::kLossy ? "lossy" : "each";
}

const char* origin_name(Origin origin) noexcept {
  switch (origin) {
    case Origin::kEvring:
      return "evring";
    case Origin::kPackaged:
      return "packaged";
    case Origin::kBaseline:
      return "baseline";
    case Origin::kKernel:
      return "kernel";
    case Origin::kNone:
      break;
  }
  return "none";
}

const std::vector<MissingPeer>& missing_peers() {
  static const std::vector<MissingPeer> missing = {
#ifndef EVRING_WITH_RTE_RING
      {"rte_ring", "libdpdk-dev"},
#endif
#ifndef EVRING_WITH_MOODYCAMEL
      {"moodycamel", "libconcurrentqueue-dev and libreaderwriterqueue-dev"},
#endif
#ifndef EVRING_WITH_ATOMIC_QUEUE
      {"atomic_queue", "libatomic-queue-dev"},
#endif
#ifndef EVRING_WITH_TBB
      {"tbb", "libtbb-dev"},
#endif
#ifndef EVRING_WITH_WFCQUEUE
      {"wfcqueue", "liburcu-dev"},
#endif
  };
  return missing;
}

const Contender& find_contender(const std::string& name, std::size_t payload_bytes) {
  std::string known;
  for (const Contender& each : all_contenders()) {
    if (each.name == name && each.payload_bytes == payload_bytes) return each;
    known += (known.empty() ? "" : ", ") + each.name + "/" + std::to_string(each.payload_bytes);
  }
  throw std::invalid_argument("no contender " + name + " with a payload of " +
                              std::to_string(payload_bytes) + " bytes; there are " + known);
}

}  // namespace evring::bench
