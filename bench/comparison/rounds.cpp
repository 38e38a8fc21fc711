// SPDX-License-Identifier: MIT
// Fresh processes in shuffled order.
#include "rounds.hpp"

#include <evring/local_ring.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <random>
#include <system_error>

namespace evring::bench {
namespace {

using nlohmann::json;
using Deadline = std::chrono::steady_clock::time_point;

pid_t spawn_with_output(const std::string& program, std::vector<std::string> arguments,
                        int output_fd) {
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), program);
  return pid;
}

/// @return whether the output ended before the deadline.
bool read_all(int fd, Deadline deadline, std::string& text) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<long long>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got <= 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

json failure(const Case& one, const std::string& why) {
  return {{"id", one.id()}, {"failed", why}, {"exact", false}};
}

}  // namespace

json run_case_apart(const std::string& program, const Case& one, unsigned timeout_s) {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  const FileDescriptor read_end(fds[0]);
  FileDescriptor write_end(fds[1]);
  const pid_t pid = spawn_with_output(program, one.arguments(), write_end.get());
  write_end = FileDescriptor();
  std::string text;
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_s);
  const bool ended = read_all(read_end.get(), deadline, text);
  if (!ended) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return failure(one, fmt::format("no end within {} s", timeout_s));
  json record = json::parse(text, nullptr, false);
  if (record.is_discarded()) return failure(one, fmt::format("exit status {}", status));
  return record;
}

std::vector<Round> run_rounds(const std::vector<Case>& plan, const RoundOptions& options) {
  std::vector<Round> rounds;
  std::mt19937_64 random(options.seed);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed_s = [begin] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  for (unsigned number = 0; number < options.round_count; ++number) {
    if (number != 0 && elapsed_s() > options.time_limit_s) break;
    std::vector<Case> order = plan;
    std::shuffle(order.begin(), order.end(), random);
    Round round;
    for (const Case& one : order) {
      if (elapsed_s() > options.time_limit_s) break;
      round[one.id()] = run_case_apart(options.program, one, options.case_timeout_s);
    }
    if (!options.quiet) {
      fmt::print(stderr, "round {} of {}: {} cases, {:.0f} s\n", number + 1, options.round_count,
                 round.size(), elapsed_s());
    }
    rounds.push_back(std::move(round));
  }
  return rounds;
}

std::optional<double> value_of(const Round& round, const std::string& id, const std::string& key) {
  const auto found = round.find(id);
  if (found == round.end() || !found->second.value("exact", false)) return std::nullopt;
  if (!found->second.contains(key)) return std::nullopt;
  return found->second.at(key).get<double>();
}

}  // namespace evring::bench
