// SPDX-License-Identifier: MIT
// The commands of `evring`: each registers its options, and what runs when it is chosen.
#pragma once

#include "tool/console.hpp"
#include "tool/program.hpp"
#include "tool/stop.hpp"

namespace evring::cli {

using namespace tool;

void add_list(Program& program);
void add_add(Program& program);
void add_remove(Program& program);
void add_inject(Program& program);
void add_watch(Program& program);
void add_stat(Program& program);
void add_bench(Program& program);
void add_doctor(Program& program);

}  // namespace evring::cli
