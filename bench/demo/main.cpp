// SPDX-License-Identifier: MIT
// evring_demo: what the event ring does, in a minute. poller/demo builds and runs it.
// Exit codes: 0 every balance holds, 1 one does not or something failed, 2 usage.
#include "demo.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  CLI::App app("The event ring beside the mutex list: throughput, lag, loss and balances.",
               "evring_demo");
  bool here = false;
  bool kernel = false;
  double seconds = 2.0;
  auto* here_flag = app.add_flag("--here", here, "Local rings on this machine (the default)");
  app.add_flag("--kernel", kernel, "Kernel devices; needs evring.ko and root")->excludes(here_flag);
  app.add_option("--seconds", seconds, "How long each measurement runs")
      ->check(CLI::Range(0.1, 60.0))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    const std::chrono::milliseconds each(static_cast<int>(seconds * 1000));
    const bool all_hold = kernel ? evring::demo::run_kernel(each) : evring::demo::run_here(each);
    return all_hold ? 0 : 1;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "evring_demo: {}\n", error.what());
    return 1;
  }
}
