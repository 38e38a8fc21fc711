// SPDX-License-Identifier: MIT
// `evring list`: the kernel's devices and the local rings of this user.
#include <memory>

#include "cli/commands.hpp"
#include "cli/ring_info.hpp"
#include "tool/kernel_access.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {
namespace {

struct AskedToList {
  bool json = false;
  bool only_local = false;
  bool only_kernel = false;
};

void print_table(const std::vector<RingInfo>& rings) {
  print("{:<20} {:<6} {:<9} {:>9} {:>5} {:<9} {:>16} {:>12} {:>9} {:>4}\n", "NAME", "SOURCE",
        "MODE", "SLOTS", "BYTES", "FORMAT", "PUBLISHED", "DROPPED", "RATE/S", "CPU");
  for (const RingInfo& ring : rings) {
    print("{:<20} {:<6} {:<9} {:>9} {:>5} {:<9} {:>16} {:>12} {:>9} {:>4}\n", ring.name,
          source_name(ring.source), to_string(ring.mode), ring.slot_count, ring.slot.bytes,
          to_string(ring.slot.slot_format), ring.published(), ring.dropped,
          ring.source == EVRING_SOURCE_TIMER ? std::to_string(ring.rate_hz) : "-",
          ring.home_cpu ? std::to_string(*ring.home_cpu) : "-");
  }
}

int run_list(const AskedToList& asked) {
  const bool loaded = module_loaded();
  if (asked.only_kernel && !loaded) open_control();  // says why there is nothing to list
  std::vector<RingInfo> devices;
  std::vector<RingInfo> locals;
  if (!asked.only_local) devices = list_devices();
  if (!asked.only_kernel) locals = list_local_rings([](const std::string&) { return true; });
  if (asked.json) {
    Json device_array = Json::array();
    Json local_array = Json::array();
    for (const RingInfo& ring : devices) device_array.push_back(to_json(ring));
    for (const RingInfo& ring : locals) local_array.push_back(to_json(ring));
    print_json({{"module_loaded", loaded}, {"devices", device_array}, {"local", local_array}});
    return kFine;
  }
  std::vector<RingInfo> rings = std::move(devices);
  rings.insert(rings.end(), locals.begin(), locals.end());
  if (!rings.empty()) print_table(rings);
  if (!loaded && !asked.only_local) {
    print("kernel devices: none, module evring is not loaded\n");
  } else if (rings.empty()) {
    print("no rings; 'evring add NAME' makes a device, 'evring add --local NAME' a local ring\n");
  }
  return kFine;
}

}  // namespace

void add_list(Program& program) {
  const auto asked = std::make_shared<AskedToList>();
  Options options = program.add("list", "List kernel devices and local rings",
                                [asked] { return run_list(*asked); });
  options.flag("--local", asked->only_local, "Local rings only");
  options.flag("--kernel", asked->only_kernel, "Kernel devices only");
  options.exclude("--kernel", "--local");
  options.flag("--json", asked->json, "Print JSON");
}

}  // namespace evring::cli
