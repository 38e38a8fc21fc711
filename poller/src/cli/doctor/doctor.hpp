// SPDX-License-Identifier: MIT
// `evring doctor`: one check for each thing that this machine may lack.
#pragma once

#include <string>
#include <vector>

namespace evring::cli {

struct Check {
  enum class State { kGood, kLimited, kMissing };
  std::string name;
  State state = State::kGood;
  std::string found;
  std::string remedy;  ///< what to do about a lack; empty when there is none
};

std::vector<Check> check_kernel_side();  ///< module, nodes, io_uring, /proc
std::vector<Check> check_process();      ///< CPUs, limits, huge pages, folders
std::vector<Check> check_cpu();          ///< instructions that waits and producers use

}  // namespace evring::cli
