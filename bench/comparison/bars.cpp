// SPDX-License-Identifier: MIT
// Holding bars against rounds.
#include "bars.hpp"

#include "cases.hpp"

#include <bench/measure/registry.hpp>
#include <bench/measure/statistics.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace evring::bench {
namespace {

std::vector<double> figures_of(const Figure& figure, const Rounds& rounds) {
  std::vector<double> figures;
  for (const Round& round : rounds) {
    if (const std::optional<double> found = figure(round)) figures.push_back(*found);
  }
  return figures;
}

bool is_better(Better better, double one, double other) {
  return better == Better::kLarger ? one > other : one < other;
}
bool reaches(Better better, double value, double limit) {
  return better == Better::kLarger ? value >= limit : value <= limit;
}

Case throughput_case(const std::string& name, std::size_t payload_bytes, std::size_t burst,
                     unsigned consumers) {
  Case one{.contender = name, .payload_bytes = payload_bytes};
  one.burst_count = burst;
  one.consumer_count = consumers;
  return one;
}

}  // namespace

Figure figure_of(std::string id, std::string key) {
  return [id = std::move(id), key = std::move(key)](const Round& round) {
    return value_of(round, id, key);
  };
}

Figure ratio_of(Figure over, Figure under) {
  return [over = std::move(over),
          under = std::move(under)](const Round& round) -> std::optional<double> {
    const std::optional<double> top = over(round);
    const std::optional<double> bottom = under(round);
    if (!top || !bottom || *bottom == 0) return std::nullopt;
    return *top / *bottom;
  };
}

std::optional<double> median_over(const Rounds& rounds, const Figure& figure) {
  const std::vector<double> figures = figures_of(figure, rounds);
  if (figures.empty()) return std::nullopt;
  return median(figures);
}

Figure best_figure(std::vector<Candidate> candidates, Better better) {
  return [candidates = std::move(candidates), better](const Round& round) {
    std::optional<double> best;
    for (const Candidate& each : candidates) {
      const std::optional<double> found = each.figure(round);
      if (found && (!best || is_better(better, *found, *best))) best = found;
    }
    return best;
  };
}

std::function<std::optional<std::string>(const Rounds&)> held_back_by(Figure figure, Better better,
                                                                      double limit,
                                                                      std::string text) {
  return [=](const Rounds& rounds) -> std::optional<std::string> {
    const std::optional<double> middle = median_over(rounds, figure);
    if (!middle) return std::nullopt;
    if (reaches(better, *middle, limit)) return std::nullopt;
    return fmt::format(fmt::runtime(text), *middle);
  };
}

namespace {

/// `figure` beside another of the same round; 1 for equals, though both be 0.
Figure beside(Figure figure, Figure other) {
  return [figure = std::move(figure),
          other = std::move(other)](const Round& round) -> std::optional<double> {
    const std::optional<double> mine = figure(round);
    if (mine && mine == other(round)) return 1;
    return ratio_of(figure, other)(round);
  };
}

}  // namespace

const Candidate* best_of(const std::vector<Candidate>& candidates, Better better,
                         const Rounds& rounds) {
  const Figure best_of_round = best_figure(candidates, better);
  const Candidate* best = nullptr;
  double best_standing = 0;
  for (const Candidate& each : candidates) {
    const std::optional<double> standing = median_over(rounds, beside(each.figure, best_of_round));
    if (!standing) continue;
    if (best != nullptr && !is_better(better, *standing, best_standing)) continue;
    best = &each;
    best_standing = *standing;
  }
  return best;
}

namespace {

BarResult weigh(const BarPart& part, const Rounds& rounds) {
  BarResult result{.bar = part.bar, .name = part.name, .better = part.better, .limit = part.limit};
  const Candidate* ours = best_of(part.ours, part.better, rounds);
  const Candidate* theirs = best_of(part.theirs, part.better, rounds);
  if (ours != nullptr) result.ours = ours->name;
  if (theirs != nullptr) result.peer = theirs->name;
  if (ours == nullptr || (theirs == nullptr && !part.theirs.empty())) return result;
  const std::vector<double> figures =
      figures_of(theirs == nullptr ? ours->figure : ratio_of(ours->figure, theirs->figure), rounds);
  result.round_count = static_cast<unsigned>(figures.size());
  if (figures.empty()) return result;
  result.value = median(figures);
  result.p10 = percentile(figures, 0.1);
  result.p90 = percentile(figures, 0.9);
  result.pass = reaches(part.better, *result.value, part.limit);
  return result;
}

}  // namespace

BarResult hold(const BarPart& part, const Rounds& rounds) {
  BarResult result = weigh(part, rounds);
  if (!result.pass && part.why_not) result.why_not = part.why_not(rounds);
  return result;
}

nlohmann::json to_json(const BarResult& result) {
  const char* sign = result.better == Better::kLarger ? ">=" : "<=";
  nlohmann::json record = {
      {"number", result.bar},
      {"name", result.name},
      {"value", nullptr},
      {"bar", fmt::format("{} {:.4g}", sign, result.limit)},
      {"spread", {{"p10", result.p10}, {"p90", result.p90}, {"rounds", result.round_count}}},
      {"pass", result.pass}};
  if (result.value) record["value"] = *result.value;
  if (!result.ours.empty()) record["ours"] = result.ours;
  if (!result.peer.empty()) record["peer"] = result.peer;
  if (result.why_not) record["limit"] = *result.why_not;
  return record;
}

std::vector<Candidate> packaged(bool each, bool shared, std::size_t payload_bytes,
                                const std::function<std::string(const std::string&)>& id_of) {
  std::vector<Candidate> candidates;
  for (const Contender& one : all_contenders()) {
    if (one.origin != Origin::kPackaged || one.payload_bytes != payload_bytes) continue;
    if (one.delivery == Delivery::kShared ? !shared : !each) continue;
    candidates.push_back({one.name, figure_of(id_of(one.name))});
  }
  return candidates;
}

std::string throughput_id(const std::string& name, std::size_t payload_bytes, std::size_t burst,
                          unsigned consumers) {
  return throughput_case(name, payload_bytes, burst, consumers).id();
}

Candidate throughput_of(const std::string& name, std::size_t payload_bytes, std::size_t burst,
                        unsigned consumers) {
  return {name, figure_of(throughput_id(name, payload_bytes, burst, consumers))};
}

std::vector<Candidate> placed(std::vector<Candidate> candidates, std::size_t payload_bytes,
                              std::size_t burst, unsigned consumers) {
  for (std::size_t i = candidates.size(); i-- > 0;) {
    Case one = throughput_case(candidates[i].name, payload_bytes, burst, consumers);
    one.variant = kSpread;
    candidates.push_back({fmt::format("{}, {}", one.contender, kSpread), figure_of(one.id())});
  }
  return candidates;
}

BarPart not_measured(unsigned bar, const std::string& name, Better better, double limit) {
  return {.bar = bar, .name = name + " (not measured)", .better = better, .limit = limit};
}

Bars all_bars() {
  Bars bars;
  add_broadcast_bars(bars);
  add_latency_bars(bars);
  add_shared_bars(bars);
  add_cost_bars(bars);
  add_idle_bars(bars);
  add_guest_bars(bars);
  add_stopped_bars(bars);
  std::stable_sort(bars.begin(), bars.end(),
                   [](const BarPart& a, const BarPart& b) { return a.bar < b.bar; });
  return bars;
}

}  // namespace evring::bench
