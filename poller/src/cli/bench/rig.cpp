// SPDX-License-Identifier: MIT
#include "cli/bench/rig.hpp"

#include <fmt/ranges.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "tool/stop.hpp"

namespace evring::cli {
namespace {

using namespace tool;

constexpr const char* kName = "evring_rig";

std::string quoted_for_shell(const std::string& path) {
  std::string quoted = "'";
  for (const char each : path) quoted += each == '\'' ? std::string("'\\''") : std::string{each};
  return quoted + "'";
}

/// All that a command prints, and how it ended, as waitpid() has it.
std::pair<std::string, int> output_of(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) throw failure(kName, std::strerror(errno));
  std::string text;
  std::array<char, 4096> part;
  while (const std::size_t count = std::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), count);
  }
  return {text, pclose(pipe)};
}

}  // namespace

Rig::Rig() {
  std::error_code error;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& folder : {here, (here / EVRING_RIG_FOLDER).lexically_normal()}) {
    program_ = folder / kName;
    if (folder.is_absolute() && std::filesystem::exists(program_, error)) return;
  }
  throw failure(kName, "not found beside evring, nor as " + program_,
                "build and install it with EVRING_BUILD_BENCH=ON");
}

Json Rig::run(const std::vector<std::string>& arguments) const {
  const std::string words = fmt::format("{}", fmt::join(arguments, " "));
  const auto [text, status] =
      output_of(fmt::format("exec {} one {}", quoted_for_shell(program_), words));
  if (stop::requested()) return nullptr;
  const Json record = Json::parse(text, nullptr, false);
  if (!record.is_object()) {
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    throw failure(program_, fmt::format("exit status {} and no record of '{}'", code, words));
  }
  if (record.contains("failed")) throw failure(kName, record["failed"].get<std::string>());
  if (!record.value("exact", false)) {
    throw failure(kName, "payloads of '" + words + "' do not add up: torn, lost or out of order");
  }
  return record;
}

}  // namespace evring::cli
