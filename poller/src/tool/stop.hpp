// SPDX-License-Identifier: MIT
// Ctrl-C and SIGTERM, for commands that run until told to stop.
#pragma once

#include <chrono>

namespace evring::tool::stop {

/// Installs the handlers; a second Ctrl-C ends the process as usual.
void watch_signals();
/// Any thread.
bool requested() noexcept;
/// As if Ctrl-C had come. Any thread.
void request() noexcept;
/// Calls `action(context)` when Ctrl-C comes, from the signal handler; null: nothing.
void on_request(void (*action)(void*), void* context) noexcept;
/// Readable once requested(); for poll loops. Valid after watch_signals().
int fd() noexcept;
/// Sleeps; ends early when requested. @return requested().
bool sleep_until(std::chrono::steady_clock::time_point when);
bool sleep_for(std::chrono::nanoseconds duration);

}  // namespace evring::tool::stop
