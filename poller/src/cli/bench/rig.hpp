// SPDX-License-Identifier: MIT
// evring_rig, which measures: each case in a process of its own, whose record comes back.
#pragma once

#include <string>
#include <vector>

#include "tool/console.hpp"

namespace evring::cli {

class Rig {
 public:
  /// Where it is: beside this program in a build tree, in libexec where it is installed.
  /// @throws Failure naming what is missing and how to get it.
  Rig();

  /// @param arguments  plain words, of `evring_rig one`.
  /// @return the record; null when it was stopped meanwhile.
  /// @throws Failure: it did not run, or payloads did not add up.
  tool::Json run(const std::vector<std::string>& arguments) const;

 private:
  std::string program_;
};

}  // namespace evring::cli
