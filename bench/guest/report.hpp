// SPDX-License-Identifier: MIT
// The results of all rounds: medians with their spread, ratios of the same round, as a
// table for people and as JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "race.hpp"

namespace evring::compare {

/// All rounds of one contender with one number of producers.
struct Series {
  std::string contender;
  int producers = 0;
  int consumers = 0;
  std::vector<RaceResult> rounds;

  bool balanced() const;
};

/// What a reader needs to judge the figures.
struct Setting {
  std::string command;
  std::string cpu;
  std::string kernel;
  std::string pinning;
  std::uint64_t capacity = 0;
  double seconds = 0;
  int rounds = 0;
  std::uint32_t batch_count = 1;
};

Setting describe_machine();

void print_table(const Setting& setting, const std::vector<Series>& all);
nlohmann::json to_json(const Setting& setting, const std::vector<Series>& all);
/// An array of rounds, each {id: record}, as bench/compare --records takes it:
/// PREFIX/CONTENDER/burstB/PpCc with "value", deliveries a second, and "injected".
nlohmann::json to_records(const std::string& prefix, std::uint32_t batch_count,
                          const std::vector<Series>& all);

}  // namespace evring::compare
