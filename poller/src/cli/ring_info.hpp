// SPDX-License-Identifier: MIT
// One ring as `list` and `stat` show it, be it a kernel device or a local ring.
#pragma once

#include <cstdint>
#include <evring/device.hpp>
#include <evring/local_ring.hpp>
#include <evring/runtime_dir.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace evring::cli {

struct RingInfo {
  std::string name;  ///< `NAME` of a device, `local:NAME`
  std::uint32_t source = 0;
  Mode mode = Mode::kOverwrite;
  std::uint64_t slot_count = 0;
  AnySlotLayout slot;
  std::uint64_t first_sequence = 0;
  std::uint64_t head = 0;
  std::uint64_t dropped = 0;
  std::uint64_t doorbells_rung = 0;
  std::uint64_t doorbells_suppressed = 0;
  std::uint64_t lock_wait_ns = 0;
  std::uint64_t lock_contended = 0;
  std::uint64_t gone = 0;
  // Of devices alone:
  std::uint64_t device_id = 0;
  std::uint64_t rate_hz = 0;
  std::uint32_t batch_count = 0;
  std::optional<std::uint32_t> home_cpu;
  std::uint32_t open_count = 0;
  std::uint32_t registered_count = 0;

  bool is_device() const noexcept { return source != EVRING_SOURCE_LOCAL; }
  std::uint64_t published() const noexcept { return head - first_sequence; }
};

RingInfo info_of(const evring_device_info& device);
/// From header and status block of a local ring; no system call.
RingInfo info_of(const std::string& local_name, const Mapping& mapping);

/// All devices, by id. Empty when the module is not loaded.
/// @throws Failure: no permission.
std::vector<RingInfo> list_devices();

/// The wanted local rings (`local:NAME`) that answer, by name; all are asked at once. Warns
/// once of each owner that does not answer, and of a folder that is refused.
std::vector<RingInfo> list_local_rings(const std::function<bool(const std::string&)>& is_wanted);

/// A line on standard error, if it has not been said before.
void warn_once(const std::string& line);

Json to_json(const RingInfo& info);

}  // namespace evring::cli
