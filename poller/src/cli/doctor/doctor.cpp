// SPDX-License-Identifier: MIT
// `evring doctor`: what this machine offers, and what to do about each lack.
#include "cli/doctor/doctor.hpp"

#include <sys/utsname.h>

#include <evring/poller/ladder.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "tool/kernel_access.hpp"

namespace evring::cli {
namespace {

const char* state_name(Check::State state) {
  switch (state) {
    case Check::State::kGood:
      return "good";
    case Check::State::kLimited:
      return "limited";
    case Check::State::kMissing:
      return "missing";
  }
  return "unknown";
}

/// The best rung that a kernel device and a local ring can get here.
Json best_rungs(const UringSupport& uring) {
  const char* fallback = to_string(Rung::kEpoll);
  const char* device = fallback;
  if (uring.usable)
    device = to_string(uring.uring_command ? Rung::kUringCommand : Rung::kUringPoll);
  return {{"device", device},
          {"local", uring.usable ? to_string(Rung::kUringPoll) : fallback},
          {"reason", uring.reason}};
}

int run_doctor(bool json) {
  std::vector<Check> checks = check_kernel_side();
  for (Check& check : check_process()) checks.push_back(std::move(check));
  for (Check& check : check_cpu()) checks.push_back(std::move(check));
  const Json rungs = best_rungs(probe_io_uring());
  utsname machine{};
  uname(&machine);
  if (json) {
    Json array = Json::array();
    for (const Check& check : checks) {
      array.push_back({{"name", check.name},
                       {"state", state_name(check.state)},
                       {"found", check.found},
                       {"remedy", check.remedy}});
    }
    print_json({{"kernel", machine.release}, {"rungs", rungs}, {"checks", array}});
    return kFine;
  }
  print("kernel {}\n", machine.release);
  for (const Check& check : checks) {
    print("{:<8} {:<18} {}\n", state_name(check.state), check.name, check.found);
    if (!check.remedy.empty()) print("{:<8} {:<18} -> {}\n", "", "", check.remedy);
  }
  print("doorbells: devices by {}, local rings by {}\n", rungs["device"].get<std::string>(),
        rungs["local"].get<std::string>());
  return kFine;
}

}  // namespace

void add_doctor(Program& program) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* sub = program.add("doctor", "Say what this machine offers, and what to do about lacks",
                              [json] { return run_doctor(*json); });
  sub->add_flag("--json", *json, "Print JSON");
}

}  // namespace evring::cli
