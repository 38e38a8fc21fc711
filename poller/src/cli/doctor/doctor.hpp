// SPDX-License-Identifier: MIT
// `evring doctor`: one check for each thing that this machine may lack.
#pragma once

#include <string>
#include <vector>

namespace evring::cli {

struct Check {
  enum class State {
    kGood,
    kLimited,  ///< it works, in a slower or smaller way
    kMissing,  ///< something does not work
  };
  std::string name;
  State state = State::kGood;
  std::string found;
  std::string remedy;  ///< what to do about a lack; empty when there is none
};

std::vector<Check> check_devices();  ///< module and control node
std::vector<Check> check_kernel();   ///< io_uring, membarrier, /proc
std::vector<Check> check_process();  ///< CPUs, huge pages, limits, the runtime folder
std::vector<Check> check_cpu();      ///< instructions that waits and producers use

}  // namespace evring::cli
