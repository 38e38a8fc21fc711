// SPDX-License-Identifier: MIT
// What evringd prints: lines per consumer for people, one object for programs.
#pragma once

#include "worker.hpp"

#include <memory>
#include <string>
#include <vector>

namespace evring::daemon {

using Workers = std::vector<std::unique_ptr<Worker>>;

/// An aligned table with a line per consumer, and one below for what its output did.
std::string format_table(const Workers& workers);

/// {"final":…,"balanced":…,"consumers":[…]} on one line.
std::string format_json(const Workers& workers, bool is_final);

/// What went wrong: "CONSUMER: reason; remedy", of consumers that ended and of outputs.
std::vector<std::string> failures(const Workers& workers);

}  // namespace evring::daemon
