// SPDX-License-Identifier: MIT
#include "cli/ring_info.hpp"

#include <cstring>
#include <evring/status.hpp>

#include "tool/kernel_access.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {

RingInfo info_of(const evring_device_info& device) {
  RingInfo info;
  info.name.assign(device.name, strnlen(device.name, sizeof(device.name)));
  info.source = device.source;
  info.mode = static_cast<Mode>(device.mode);
  info.slot_count = device.slot_count;
  info.slot = {static_cast<SlotFormat>(device.slot_format), device.slot_bytes};
  info.first_sequence = device.first_sequence;
  info.head = device.head;
  info.dropped = device.dropped;
  info.doorbells_rung = device.doorbells_rung;
  info.doorbells_suppressed = device.doorbells_suppressed;
  info.lock_wait_ns = device.lock_wait_ns;
  info.lock_contended = device.lock_contended;
  info.device_id = device.device_id;
  info.rate_hz = device.rate_hz;
  info.batch_count = device.batch_count;
  if (device.home_cpu != EVRING_HOME_CPU_ANY) info.home_cpu = device.home_cpu;
  info.open_count = device.open_count;
  info.registered_count = device.registered_count;
  return info;
}

RingInfo info_of(const std::string& local_name, const Mapping& mapping) {
  const Geometry& geometry = mapping.geometry();
  RingInfo info;
  info.name = "local:" + local_name;
  info.source = EVRING_SOURCE_LOCAL;
  info.mode = geometry.mode;
  info.slot_count = geometry.slot_count;
  info.slot = geometry.slot;
  info.first_sequence = geometry.first_sequence;
  info.head = load_relaxed(reinterpret_cast<const std::uint64_t*>(&mapping.header()->head));
  info.gone = gone(*mapping.header());
  if (const auto status = read_status(*mapping.header(), geometry.first_sequence)) {
    info.dropped = status->block.dropped;
    info.doorbells_rung = status->block.doorbells_rung;
    info.doorbells_suppressed = status->block.doorbells_suppressed;
    info.lock_wait_ns = status->block.lock_wait_ns;
    info.lock_contended = status->block.lock_contended;
  }
  return info;
}

std::vector<RingInfo> list_devices() {
  std::vector<RingInfo> all;
  if (!module_loaded()) return all;
  for (const evring_device_info& device : open_control().list()) all.push_back(info_of(device));
  return all;
}

std::vector<RingInfo> list_local_rings() {
  std::vector<RingInfo> all;
  std::vector<std::string> names;
  try {
    names = local_ring_names();
  } catch (const RuntimeDirRefused& error) {
    warn_of(error);
  }
  for (const std::string& name : names) {
    try {
      all.push_back(info_of(name, attach_local(name).mapping));
    } catch (const std::system_error&) {
      // Its owner left between the listing and the look.
    }
  }
  return all;
}

Json to_json(const RingInfo& info) {
  Json json = {{"name", info.name},
               {"source", source_name(info.source)},
               {"mode", to_string(info.mode)},
               {"slot_count", info.slot_count},
               {"slot_bytes", info.slot.bytes},
               {"slot_format", to_string(info.slot.slot_format)},
               {"first_sequence", info.first_sequence},
               {"head", info.head},
               {"published", info.published()},
               {"dropped", info.dropped},
               {"doorbells_rung", info.doorbells_rung},
               {"doorbells_suppressed", info.doorbells_suppressed},
               {"lock_wait_ns", info.lock_wait_ns},
               {"lock_contended", info.lock_contended}};
  if (!info.is_device()) return json;
  json["device_id"] = info.device_id;
  json["rate_hz"] = info.rate_hz;
  json["batch_count"] = info.batch_count;
  json["home_cpu"] = info.home_cpu ? Json(*info.home_cpu) : Json(nullptr);
  json["open_count"] = info.open_count;
  json["registered_count"] = info.registered_count;
  return json;
}

void warn_of(const RuntimeDirRefused& error) {
  static std::string said;
  if (said != error.what()) warn(said = error.what());
}

}  // namespace evring::cli
