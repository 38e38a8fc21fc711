// SPDX-License-Identifier: MIT
// The groups of a round. No id is in two groups: a round keeps one record of each.
#include "plan.hpp"

#include <bench/measure/registry.hpp>

#include <set>
#include <string>

namespace evring::bench {
namespace {

// A new planner: its function declared in plan.hpp, and a line here.
constexpr Planner kPlanners[] = {
    plan_broadcast, plan_shared, plan_latency, plan_cost,
    plan_stopped,   plan_limits, plan_idle,    plan_wide,
};

Case queue_case(const Contender& of, const char* loop, std::size_t burst, unsigned consumers,
                bool quick) {
  Case one;
  one.loop = loop;
  one.contender = of.name;
  one.payload_bytes = of.payload_bytes;
  one.burst_count = burst;
  one.consumer_count = consumers;
  // Threads that share a core need some turns each.
  const bool crowded = Placement{}.oversubscribed(1 + consumers);
  one.duration_ms = (quick ? 30 : 40) * (crowded ? 3 : 1);
  return one;
}

/// Both ways to place the threads, where there are two: each contender has the one that
/// suits it.
void add_placed(CaseGroup& group, Case one) {
  group.cases.push_back(one);
  if (!Placement{}.oversubscribed(1 + one.consumer_count)) return;
  one.variant = kSpread;
  group.cases.push_back(std::move(one));
}

bool in_bars(const Contender& each) {
  return each.origin == Origin::kEvring || each.origin == Origin::kPackaged;
}

}  // namespace

// Bars 1 to 4 and 6.
void plan_broadcast(Plan& plan, bool quick) {
  CaseGroup group{.name = "broadcast", .cases = {}};
  for (const Contender& each : all_contenders()) {
    if (!each.two_threads) continue;
    const bool ours = each.origin == Origin::kEvring && each.delivery != Delivery::kShared;
    const bool big = each.payload_bytes != 16;
    if (big && (in_bars(each) || each.origin == Origin::kBaseline)) {
      group.cases.push_back(queue_case(each, "throughput", 32, 1, quick));
    }
    if (ours && big) group.cases.push_back(queue_case(each, "throughput", 1, 1, quick));
    if (ours && !big) group.cases.push_back(queue_case(each, "throughput", 32, 1, quick));
    if (!big || each.delivery != Delivery::kEach || !in_bars(each)) continue;
    for (const unsigned consumers : {2u, 4u}) {
      add_placed(group, queue_case(each, "throughput", 32, consumers, quick));
    }
  }
  for (const char* loop : {"bare-plain", "bare-vector"}) {
    for (const std::size_t burst : {1, 32, 256}) {
      group.cases.push_back({.loop = loop, .burst_count = burst, .duration_ms = quick ? 30u : 40u});
    }
  }
  plan.push_back(std::move(group));
}

// Bar 7. One member in bursts is in the group above: a shared queue with one consumer
// is a broadcast as well.
void plan_shared(Plan& plan, bool quick) {
  CaseGroup group{.name = "work sharing", .cases = {}};
  for (const Contender& each : all_contenders()) {
    if (!in_bars(each) || each.delivery != Delivery::kShared || each.payload_bytes != 56) continue;
    group.cases.push_back(queue_case(each, "throughput", 1, 1, quick));
    add_placed(group, queue_case(each, "throughput", 1, 2, quick));
    add_placed(group, queue_case(each, "throughput", 32, 2, quick));
  }
  if (!group.cases.empty()) plan.push_back(std::move(group));
}

// Bar 5: a group for each rate.
void plan_latency(Plan& plan, bool quick) {
  CaseGroup turns{.name = "round trips", .cases = {}};
  for (const Contender& each : all_contenders()) {
    const bool needed = each.origin == Origin::kEvring || each.origin == Origin::kNone;
    const bool wanted = needed || (!quick && in_bars(each));
    if (!wanted || each.ping_pong == nullptr || each.payload_bytes != 56) continue;
    turns.cases.push_back(queue_case(each, "ping-pong", 1, 1, quick));
  }
  plan.push_back(std::move(turns));
  for (const double rate_hz : {1e3, 1e4, 1e5, 1e6}) {
    CaseGroup group{.name = "latency", .cases = {}};
    for (const Contender& each : all_contenders()) {
      if (each.latency == nullptr || each.payload_bytes != 56) continue;
      if (quick && !in_bars(each) && each.origin != Origin::kNone) continue;
      Case one = queue_case(each, "latency", 1, 1, quick);
      one.rate_hz = rate_hz;
      if (rate_hz < 1e4) one.duration_ms = 100;
      group.cases.push_back(one);
    }
    plan.push_back(std::move(group));
  }
}

// Bar 8.
void plan_cost(Plan& plan, bool quick) {
  CaseGroup group{.name = "one thread", .cases = {}};
  CaseGroup counted{.name = "instructions", .share = Share::kOnce, .cases = {}};
  for (const Contender& each : all_contenders()) {
    if (each.payload_bytes != 56) continue;
    if (quick && each.origin == Origin::kKernel) continue;
    group.cases.push_back(queue_case(each, "same-thread", 32, 1, quick));
    const bool needed = each.origin == Origin::kEvring || each.origin == Origin::kNone;
    if (quick && !needed) continue;
    counted.cases.push_back(queue_case(each, "instructions", 32, 1, quick));
  }
  plan.push_back(std::move(group));
  plan.push_back(std::move(counted));
}

// Bar 15.
void plan_stopped(Plan& plan, bool) {
  plan.push_back({.name = "stopped",
                  .cases = {{.loop = "stopped-consumer", .variant = "stopped"},
                            {.loop = "stopped-consumer", .variant = "killed"}}});
}

void plan_limits(Plan& plan, bool) {
  CaseGroup group{.name = "wake-ups", .cases = {}};
  for (const char* loop : {"eventfd-wake", "futex-wake", "doorbell-wake", "syscall"}) {
    group.cases.push_back({.loop = loop});
  }
  plan.push_back(std::move(group));
}

// The rest of the axes, for the tables.
void plan_wide(Plan& plan, bool quick) {
  if (quick) return;
  std::set<std::string> planned;
  for (const CaseGroup& group : plan) {
    for (const Case& each : group.cases) planned.insert(each.id());
  }
  const auto add = [&planned](CaseGroup& group, const Case& one) {
    if (planned.insert(one.id()).second) group.cases.push_back(one);
  };
  for (const unsigned consumers : {1u, 2u, 4u, 8u}) {
    for (const std::size_t burst : {1, 8, 32, 256}) {
      CaseGroup group{.name = "axes", .share = Share::kThird, .cases = {}};
      for (const Contender& each : all_contenders()) {
        if (!each.two_threads) continue;
        if (consumers > 1 && (each.payload_bytes == 16 || (burst != 1 && burst != 32))) continue;
        add(group, queue_case(each, "throughput", burst, consumers, quick));
      }
      if (!group.cases.empty()) plan.push_back(std::move(group));
    }
  }
  CaseGroup large{.name = "large ring", .share = Share::kThird, .cases = {}};
  CaseGroup cost{.name = "one thread, the rest", .share = Share::kThird, .cases = {}};
  for (const Contender& each : all_contenders()) {
    for (const std::size_t burst : {1, 32}) {
      add(cost, queue_case(each, "same-thread", burst, 1, quick));
    }
    if (!each.two_threads) continue;
    Case one = queue_case(each, "throughput", 32, 1, quick);
    one.slot_count = 65536;
    add(large, one);
  }
  plan.push_back(std::move(large));
  plan.push_back(std::move(cost));
}

Plan make_plan(bool quick) {
  Plan plan;
  for (const Planner planner : kPlanners) planner(plan, quick);
  return plan;
}

void keep_only(Plan& plan, const std::string& text) {
  for (CaseGroup& group : plan) {
    if (group.name == text) continue;
    std::erase_if(group.cases,
                  [&text](const Case& each) { return each.id().find(text) == std::string::npos; });
  }
  std::erase_if(plan, [](const CaseGroup& group) { return group.cases.empty(); });
  for (CaseGroup& group : plan) group.share = Share::kEvery;
}

bool runs_in(const CaseGroup& group, std::size_t index, unsigned number) noexcept {
  switch (group.share) {
    case Share::kEvery:
      return true;
    case Share::kThird:
      return (number + index) % 3 == 0;
    case Share::kOnce:
      return number == 0;
  }
  return false;
}

}  // namespace evring::bench
