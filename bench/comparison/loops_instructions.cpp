// SPDX-License-Identifier: MIT
// Instructions per event, counted by callgrind: the same-thread loop for some events and
// for twice as many, in processes of their own. What the two differ by has neither
// start-up nor set-up in it.
#include "loops.hpp"
#include "process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

namespace evring::bench {
namespace {

using nlohmann::json;

constexpr std::uint64_t kEventCount = 32'768;  // eight laps of a ring of 4,096
constexpr unsigned kTimeoutS = 60;

/// "==123== Collected : 4567" is 4567.
std::optional<std::uint64_t> collected(const std::string& text) {
  constexpr std::string_view kMark = "Collected :";
  const std::size_t at = text.find(kMark);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t digits = text.find_first_of("0123456789", at + kMark.size());
  if (digits == std::string::npos) return std::nullopt;
  return std::stoull(text.substr(digits));
}

std::uint64_t instructions(const Case& one, std::uint64_t event_count) {
  Case counted = one;
  counted.loop = "same-thread";
  counted.event_count = event_count;
  counted.fifo = false;
  std::vector<std::string> command = {"valgrind", "--tool=callgrind",
                                      "--callgrind-out-file=/dev/null",
                                      std::filesystem::read_symlink("/proc/self/exe")};
  for (const std::string& argument : counted.arguments()) command.push_back(argument);
  const ProcessResult ran = run_process(command, 2, kTimeoutS);
  const std::optional<std::uint64_t> count = collected(ran.text);
  if (!ran.in_time || ran.status != 0 || !count) {
    throw std::runtime_error("valgrind: no count for " + counted.contender);
  }
  return *count;
}

}  // namespace

json instructions_record(const Case& one) {
  const std::uint64_t once = instructions(one, kEventCount);
  const std::uint64_t twice = instructions(one, 2 * kEventCount);
  return {{"value", static_cast<double>(twice - once) / kEventCount},
          {"unit", "instructions/event"},
          {"exact", true}};  // a run that did not add up exits with an error
}

}  // namespace evring::bench
