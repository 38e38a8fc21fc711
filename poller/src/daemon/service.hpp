// SPDX-License-Identifier: MIT
// evringd from its start to its end: an event loop (sd-event) for signals, reports, the
// watchdog and the ends of consumers. Nothing in it waits for a ring or an output.
#pragma once

#include "config.hpp"
#include "console.hpp"

namespace evring::daemon {

// Exit codes: see evringd(8).
enum ExitCode : int { kFine = 0, kError = 1, kUsage = 2, kLoss = 3 };

/// Keeps the signals that run_service() waits for from everybody else. Main thread, before
/// any other is there.
void block_signals();

/// Runs the consumers until a signal, or until the last of them has ended; then drains,
/// reports and gives the exit code. Main thread. @throws std::exception when something cannot be
/// opened.
int run_service(const Config& config, Console& console);

}  // namespace evring::daemon
