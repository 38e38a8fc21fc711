// SPDX-License-Identifier: MIT
// What evringd prints: one line per consumer for people, one object for programs.
#pragma once

#include "worker.hpp"

#include <memory>
#include <string>
#include <vector>

namespace evring::daemon {

using Workers = std::vector<std::unique_ptr<Worker>>;

/// An aligned table with a line per consumer.
std::string format_table(const Workers& workers);

/// {"final":…,"balanced":…,"consumers":[…]} on one line.
std::string format_json(const Workers& workers, bool is_final);

}  // namespace evring::daemon
