// SPDX-License-Identifier: MIT
// What a round runs. Cases that are compared with one another form a group and run one
// after the other, in shuffled order, so that a slow phase of the machine meets all.
#pragma once

#include "cases.hpp"

#include <string>
#include <vector>

namespace evring::bench {

/// In which rounds a group runs.
enum class Share {
  kEvery,  ///< in each: what a bar needs
  kThird,  ///< in every third, each such group beginning with another round
  kOnce,   ///< in the first: figures that do not vary
};

struct CaseGroup {
  std::string name;
  Share share = Share::kEvery;
  std::vector<Case> cases;
};

using Plan = std::vector<CaseGroup>;

/// Adds groups to a plan; `quick` asks for the bars' cases alone, short ones.
using Planner = void (*)(Plan& plan, bool quick);

void plan_broadcast(Plan& plan, bool quick);
void plan_shared(Plan& plan, bool quick);
void plan_latency(Plan& plan, bool quick);
void plan_cost(Plan& plan, bool quick);
void plan_stopped(Plan& plan, bool quick);
void plan_limits(Plan& plan, bool quick);
void plan_idle(Plan& plan, bool quick);  // loops_idle.cpp
void plan_wide(Plan& plan, bool quick);

/// All groups. Bars' groups come before those that only fill the tables.
Plan make_plan(bool quick);

/// Leaves the cases whose id contains `text` and the groups of that name, for every round.
void keep_only(Plan& plan, const std::string& text);

/// Whether group `index` of a plan runs in round `number`.
bool runs_in(const CaseGroup& group, std::size_t index, unsigned number) noexcept;

}  // namespace evring::bench
