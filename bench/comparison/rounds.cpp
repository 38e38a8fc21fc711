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
#include <fstream>
#include <random>
#include <stdexcept>
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

class Watch {
 public:
  double elapsed_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  const Deadline begin_ = std::chrono::steady_clock::now();
};

/// The cases of one round, groups kept together.
std::vector<Case> order_of(const Plan& plan, unsigned number, bool bars_only,
                           std::mt19937_64& random) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (bars_only && plan[i].share == Share::kThird) continue;
    if (runs_in(plan[i], i, number)) indices.push_back(i);
  }
  std::shuffle(indices.begin(), indices.end(), random);
  std::vector<Case> order;
  for (const std::size_t index : indices) {
    std::vector<Case> cases = plan[index].cases;
    std::shuffle(cases.begin(), cases.end(), random);
    order.insert(order.end(), cases.begin(), cases.end());
  }
  return order;
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

Rounds run_rounds(const Plan& plan, const RoundOptions& options) {
  Rounds rounds;
  std::mt19937_64 random(options.seed);
  const Watch watch;
  for (unsigned number = 0; number < options.round_count; ++number) {
    if (number != 0 && watch.elapsed_s() > options.time_limit_s) break;
    const bool late = watch.elapsed_s() * options.round_count > options.time_limit_s * number;
    Round round;
    for (const Case& one : order_of(plan, number, number != 0 && late, random)) {
      if (watch.elapsed_s() > options.time_limit_s) break;
      Case placed = one;
      placed.fifo = options.fifo;
      round[one.id()] = run_case_apart(options.program, placed, options.case_timeout_s);
    }
    if (!options.silent) {
      fmt::print(stderr, "round {} of {}: {} cases, {:.0f} s{}\n", number + 1, options.round_count,
                 round.size(), watch.elapsed_s(),
                 number != 0 && late ? ", the bars' cases alone: behind time" : "");
    }
    rounds.push_back(std::move(round));
  }
  return rounds;
}

void merge_rounds(Rounds& rounds, const std::string& path) {
  std::ifstream file(path);
  const json more = json::parse(file, nullptr, false);
  if (!more.is_array()) throw std::runtime_error(path + ": not an array of rounds");
  for (std::size_t i = 0; i < more.size(); ++i) {
    if (rounds.size() <= i) rounds.emplace_back();
    for (const auto& [id, record] : more[i].items()) rounds[i][id] = record;
  }
}

std::optional<double> value_of(const Round& round, const std::string& id, const std::string& key) {
  const auto found = round.find(id);
  if (found == round.end() || !found->second.value("exact", false)) return std::nullopt;
  if (!found->second.contains(key)) return std::nullopt;
  return found->second.at(key).get<double>();
}

}  // namespace evring::bench
