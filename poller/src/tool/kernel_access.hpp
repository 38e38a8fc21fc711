// SPDX-License-Identifier: MIT
// Kernel devices and named rings as the commands open them: every refusal is
// one line that says what to do about it.
#pragma once

#include <evring/device.hpp>
#include <evring/poller/parse.hpp>
#include <evring/poller/source.hpp>
#include <string>

#include "tool/console.hpp"

namespace evring::tool {

/// Whether evring.ko is there to be talked to: its control node exists.
bool module_loaded();

/// @throws Failure: module not loaded, no permission.
Control open_control();
/// @throws Failure: no such device, module not loaded, no permission.
Device open_device(const std::string& name, Device::Access access);
/// @throws Failure as open_device(), or no such ring.
RingLink open_ring(const RingName& ring, const LinkOptions& options);

/// Failure with the reason behind `error`, and the remedy where one is known.
Failure explain(const std::string& thing, const std::system_error& error);

}  // namespace evring::tool
