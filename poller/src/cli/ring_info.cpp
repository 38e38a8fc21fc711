// SPDX-License-Identifier: MIT
#include "cli/ring_info.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <evring/status.hpp>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "tool/kernel_access.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {
namespace {

constexpr std::size_t kAskersMax = 256;  // threads that wait, nothing more

struct Answer {
  std::optional<RingInfo> info;
  std::string refusal;
};

/// Two seconds at most.
Answer ask_owner(const std::string& name) {
  try {
    return {info_of(name, attach_local(name).mapping), ""};
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    if (code == ENOENT || code == ECONNREFUSED) return {};  // it left, or died
    const bool is_mute = code == EAGAIN || code == ETIMEDOUT;
    return {std::nullopt, fmt::format("local ring '{}': {}", name,
                                      is_mute ? "its owner does not answer; let it go on, or end it"
                                              : error.what())};
  } catch (const std::exception& error) {
    return {std::nullopt, error.what()};
  }
}

/// Names of the local rings of this user, sorted: of dead owners too. Whoever may write the
/// folder names its files, and would steer the terminal by a name that no ring has.
std::vector<std::string> local_names() {
  constexpr std::string_view kSuffix = ".sock";
  std::vector<std::string> names;
  const std::optional<RuntimeDir> folder = RuntimeDir::find();
  if (!folder) return names;
  for (const std::string& file : folder->names()) {
    if (!file.ends_with(kSuffix)) continue;
    std::string name = file.substr(0, file.size() - kSuffix.size());
    if (is_ring_name(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// All of them at once: however many owners are stopped, it takes the two seconds of one.
std::vector<Answer> ask_owners(const std::vector<std::string>& names) {
  std::vector<Answer> answers(names.size());
  std::atomic<std::size_t> next{0};
  const auto ask = [&] {
    for (std::size_t i; (i = next.fetch_add(1)) < names.size();) answers[i] = ask_owner(names[i]);
  };
  std::vector<std::jthread> askers;
  for (std::size_t i = 0; i < std::min(names.size(), kAskersMax); ++i) askers.emplace_back(ask);
  for (std::jthread& asker : askers) asker.join();
  return answers;
}

}  // namespace

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

std::vector<RingInfo> list_local_rings(const std::function<bool(const std::string&)>& is_wanted) {
  std::vector<std::string> names;
  try {
    names = local_names();
  } catch (const RuntimeDirRefused& error) {
    warn_once(error.what());
  }
  std::erase_if(names, [&](const std::string& name) { return !is_wanted("local:" + name); });
  std::vector<RingInfo> rings;
  for (Answer& answer : ask_owners(names)) {
    if (answer.info) rings.push_back(*std::move(answer.info));
    if (!answer.refusal.empty()) warn_once(answer.refusal);
  }
  return rings;
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

void warn_once(const std::string& line) {
  static std::set<std::string> said;
  if (said.insert(line).second) warn(line);
}

}  // namespace evring::cli
