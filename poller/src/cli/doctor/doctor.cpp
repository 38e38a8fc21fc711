// SPDX-License-Identifier: MIT
// `evring doctor`: what this machine offers, and what to do about each lack.
#include "cli/doctor/doctor.hpp"

#include <sys/utsname.h>

#include <algorithm>
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

/// The best rung that a kernel device and a local ring can get here; of devices none
/// where there can be none.
Json best_rungs(const UringSupport& uring) {
  Json rungs = {{"device", nullptr},
                {"local", to_string(uring.usable ? Rung::kUringPoll : Rung::kEpoll)},
                {"reason", uring.reason}};
  if (!module_loaded()) return rungs;
  const Rung with_uring = uring.uring_command ? Rung::kUringCommand : Rung::kUringPoll;
  rungs["device"] = to_string(uring.usable ? with_uring : Rung::kEpoll);
  return rungs;
}

std::vector<Check> run_checks(bool local_only) {
  std::vector<Check> checks;
  for (auto* part : {&check_devices, &check_kernel, &check_process, &check_cpu}) {
    if (local_only && part == &check_devices) continue;
    for (Check& check : part()) checks.push_back(std::move(check));
  }
  return checks;
}

void print_checks_json(const std::vector<Check>& checks, const Json& rungs, const char* kernel) {
  Json array = Json::array();
  for (const Check& check : checks) {
    array.push_back({{"name", check.name},
                     {"state", state_name(check.state)},
                     {"found", check.found},
                     {"remedy", check.remedy}});
  }
  print_json({{"kernel", kernel}, {"rungs", rungs}, {"checks", array}});
}

void print_checks(const std::vector<Check>& checks, const Json& rungs, const char* kernel) {
  print("kernel {}\n", kernel);
  for (const Check& check : checks) {
    print("{:<8} {:<18} {}\n", state_name(check.state), check.name, check.found);
    if (!check.remedy.empty()) print("{:<8} {:<18} -> {}\n", "", "", check.remedy);
  }
  print("doorbells: {}, local rings by {}\n",
        rungs["device"].is_null() ? "no devices without the module"
                                  : "devices by " + rungs["device"].get<std::string>(),
        rungs["local"].get<std::string>());
}

int run_doctor(bool local_only, bool json) {
  const std::vector<Check> checks = run_checks(local_only);
  const Json rungs = best_rungs(probe_io_uring());
  utsname machine{};
  uname(&machine);
  const bool all_work = std::none_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.state == Check::State::kMissing;
  });
  return report(all_work ? kFine : kError,
                [&] { (json ? print_checks_json : print_checks)(checks, rungs, machine.release); });
}

}  // namespace

void add_doctor(Program& program) {
  struct AskedToExamine {
    bool local = false;
    bool json = false;
  };
  const auto asked = std::make_shared<AskedToExamine>();
  Options options =
      program.add("doctor", "Say what this machine offers, and what to do about lacks",
                  [asked] { return run_doctor(asked->local, asked->json); });
  options.flag("--local", asked->local, "Only what local rings need: not the kernel module");
  options.flag("--json", asked->json, "Print JSON");
  options.footer("Exit codes: 0 all is good or merely limited, 1 something does not work.");
}

}  // namespace evring::cli
