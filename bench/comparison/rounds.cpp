// SPDX-License-Identifier: MIT
// Fresh processes in shuffled order.
#include "rounds.hpp"

#include "process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <stdexcept>
#include <utility>

namespace evring::bench {
namespace {

using nlohmann::json;
json failure(const Case& one, const std::string& why) {
  return {{"id", one.id()}, {"failed", why}, {"exact", false}};
}

class Watch {
 public:
  double elapsed_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
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

unsigned timeout_of(const Case& one, const RoundOptions& options) {
  const bool short_tail = one.loop == "throughput";
  return one.duration_ms / 1000 +
         (short_tail ? options.throughput_timeout_s : options.case_timeout_s);
}

}  // namespace

json run_case_apart(const std::string& program, const Case& one, unsigned timeout_s) {
  std::vector<std::string> command = one.arguments();
  command.insert(command.begin(), program);
  const ProcessResult ran = run_process(std::move(command), 1, timeout_s);
  if (!ran.in_time) return failure(one, fmt::format("no end within {} s", timeout_s));
  json record = json::parse(ran.text, nullptr, false);
  if (record.is_discarded()) return failure(one, fmt::format("exit status {}", ran.status));
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
      const double begun_s = watch.elapsed_s();
      json record = run_case_apart(options.program, placed, timeout_of(placed, options));
      record["took_s"] = watch.elapsed_s() - begun_s;
      record["case"] = one.axes();
      round[one.id()] = std::move(record);
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
