// SPDX-License-Identifier: MIT
// The command `evring`: its subcommands, each in a file or folder of its own. One of them,
// stress, is a program of its own that lies beside this one.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "cli/commands.hpp"

namespace evring::cli {
namespace {

void describe(Program& program) {
  program.describe("evring", "Event rings: kernel devices and local rings")
      .footer(
          "Exit codes: 0 fine, 1 error, 2 usage, 3 loss under --fail-on-loss, 4 skipped.\n"
          "'evring COMMAND --help' and 'man evring-COMMAND' say more.");
  add_list(program);
  add_add(program);
  add_remove(program);
  add_inject(program);
  add_watch(program);
  add_stat(program);
  program.mention("stress", "Load rings with verified events (evring-stress)");
  add_bench(program);
  add_doctor(program);
}

/// `evring stress …` is `evring-stress …`: the one beside this program, or else in the PATH.
/// Where /proc does not say where this program is, there is no "beside": never what lies in
/// the folder of the caller.
int become_stress(char** argv) noexcept {
  std::error_code error;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  if (here.is_absolute()) execv((here / "evring-stress").c_str(), argv);
  if (!here.is_absolute() || errno == ENOENT) execvp("evring-stress", argv);
  warn(std::string("evring-stress: ") + std::strerror(errno) + "; install it beside evring");
  return kError;
}

}  // namespace
}  // namespace evring::cli

int main(int argc, char** argv) {
  using namespace evring::cli;
  if (argc > 1 && std::string_view(argv[1]) == "stress") return become_stress(argv + 1);
  return run_program(argc, argv, describe);
}
