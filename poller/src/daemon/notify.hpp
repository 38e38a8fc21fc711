// SPDX-License-Identifier: MIT
// Tells the service manager how far we are: the sd_notify protocol, one datagram.
#pragma once

#include <string_view>

namespace evring::daemon {

/// Sends `state` ("READY=1", "STOPPING=1") to $NOTIFY_SOCKET; nothing where that is
/// not set. @return whether it was sent.
bool notify_manager(std::string_view state) noexcept;

}  // namespace evring::daemon
