// SPDX-License-Identifier: MIT
// The machine, the placement and the command, in words.
#include <bench/measure/machine.hpp>

#include <sys/utsname.h>

#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace evring::bench {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string cache_sizes() {
  std::string text;
  for (int index = 0; index < 8; ++index) {
    const std::string base = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index);
    const std::string level = first_line(base + "/level");
    if (level.empty()) break;
    const std::string type = first_line(base + "/type");
    if (type == "Instruction") continue;
    text += (text.empty() ? "L" : ", L") + level + (type == "Data" ? "d " : " ") +
            first_line(base + "/size");
  }
  return text.empty() ? "unknown" : text;
}

}  // namespace

Machine describe_machine() {
  Machine machine;
  machine.cpu = cpu_model() + ", " + std::to_string(std::thread::hardware_concurrency()) + " CPUs";
  utsname names{};
  machine.kernel =
      uname(&names) == 0 ? std::string(names.release) + " " + names.machine : "unknown";
  machine.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (machine.governor.empty()) machine.governor = "none (no cpufreq)";
  machine.caches = cache_sizes();
#if defined(__clang__)
  machine.compiler = "clang " __clang_version__;
#else
  machine.compiler = "GCC " __VERSION__;
#endif
  return machine;
}

std::string describe_placement(const Placement& placement) {
  std::string cpus;
  for (const int cpu : placement.cpus) cpus += (cpus.empty() ? "" : ",") + std::to_string(cpu);
  return "CPUs " + cpus + ", producer on the first, consumers round " +
         (placement.producer_alone ? "the rest" : "all of them") +
         (placement.fifo ? ", SCHED_FIFO" : ", SCHED_OTHER");
}

std::string describe_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string command{std::istreambuf_iterator<char>(file), {}};
  while (!command.empty() && command.back() == '\0') command.pop_back();
  for (char& letter : command) {
    if (letter == '\0') letter = ' ';
  }
  return command;
}

}  // namespace evring::bench
