// SPDX-License-Identifier: MIT
// Why one needs a lock: the same list with and without its mutex under the same processes.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace evring::compare {

/// @param processes  each puts a batch of events on the list and takes one off, in turns.
/// @param limit_s    how long the mutex list is hammered. The unlocked one gets 20 s at
///                   least to be found broken, and is left as soon as it is.
/// @param[out] json  what was found, if not null.
/// @return whether the unlocked list was found broken, and the mutex list was not.
bool demonstrate_unlocked(int processes, double limit_s, nlohmann::json* json);

}  // namespace evring::compare
