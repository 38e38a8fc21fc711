// SPDX-License-Identifier: MIT
// Whether evring.ko is loaded, or could be: by libkmod, as modprobe(8) would look for it.
#pragma once

#include <string>

namespace evring::tool {

struct ModuleFound {
  enum class State { kLoaded, kInstalled, kAbsent };
  State state = State::kAbsent;
  std::string path;  ///< of the file that modprobe would load; empty where there is none
};

/// A few files of /sys and /lib/modules are read.
ModuleFound find_module();

}  // namespace evring::tool
