// SPDX-License-Identifier: MIT
#include "topology.hpp"

#include <stdexcept>

namespace evring {
namespace {

hwloc_topology_t load() {
  hwloc_topology_t loaded = nullptr;
  if (hwloc_topology_init(&loaded) != 0) throw std::runtime_error("hwloc: no memory");
  hwloc_topology_set_icache_types_filter(loaded, HWLOC_TYPE_FILTER_KEEP_NONE);
  hwloc_topology_set_flags(loaded, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  if (hwloc_topology_load(loaded) != 0) {
    hwloc_topology_destroy(loaded);
    throw std::runtime_error("hwloc cannot read this machine; are /proc and /sys mounted?");
  }
  return loaded;
}

}  // namespace

hwloc_topology_t topology() {
  static const hwloc_topology_t loaded = load();
  return loaded;
}

}  // namespace evring
