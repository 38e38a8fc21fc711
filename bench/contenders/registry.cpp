// SPDX-License-Identifier: MIT
// Which contenders this build has. EVRING_PEERS comes from bench/comparison.cmake.
#include <bench/contenders/registry.hpp>

namespace evring::bench {

const std::vector<Contender>& all_contenders() {
  static const Registry registry = [] {
    Registry all;
    add_evring(all);
#define EVRING_PEER(name, package) add_##name(all);
#define EVRING_NO_PEER(name, package)
    EVRING_PEERS
#undef EVRING_PEER
#undef EVRING_NO_PEER
    add_baselines(all);
    return all;
  }();
  return registry;
}

const std::vector<MissingPeer>& missing_peers() {
  static const std::vector<MissingPeer> missing = {
#define EVRING_PEER(name, package)
#define EVRING_NO_PEER(name, package) {#name, package},
      EVRING_PEERS
#undef EVRING_PEER
#undef EVRING_NO_PEER
  };
  return missing;
}

}  // namespace evring::bench
