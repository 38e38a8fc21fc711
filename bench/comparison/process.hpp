// SPDX-License-Identifier: MIT
// A program run to its end, with a limit in time.
#pragma once

#include <string>
#include <vector>

namespace evring::bench {

struct ProcessResult {
  bool in_time = false;  ///< it ended within the limit; killed if not
  int status = 0;        ///< as waitpid(2) has it
  std::string text{};    ///< what it wrote to the descriptor asked for
};

/// Runs `command` (found by PATH) and collects what it writes to `output_fd`, its
/// standard output (1) or error (2).
///
/// @throws std::system_error naming the program.
ProcessResult run_process(std::vector<std::string> command, int output_fd, unsigned timeout_s);

}  // namespace evring::bench
