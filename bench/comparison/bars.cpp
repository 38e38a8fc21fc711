// SPDX-License-Identifier: MIT
// The bars, part by part.
#include "bars.hpp"

#include <bench/measure/statistics.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace evring::bench {
namespace {

using Figure = std::optional<double>;

Figure ratio(Figure over, Figure under) {
  if (!over || !under || *under == 0) return std::nullopt;
  return *over / *under;
}

std::string throughput_id(const std::string& name, std::size_t payload_bytes, std::size_t burst,
                          unsigned consumers) {
  return fmt::format("throughput/{}/{}B/burst{}/{}c/4096", name, payload_bytes, burst, consumers);
}

Figure rate(const Round& round, const std::string& name, std::size_t payload, std::size_t burst,
            unsigned consumers = 1) {
  return value_of(round, throughput_id(name, payload, burst, consumers));
}

/// The best of evring's two ways in, by copy and in place.
Figure evring_rate(const Round& round, std::size_t payload, std::size_t burst,
                   unsigned consumers = 1) {
  return std::max(rate(round, "evring-gated", payload, burst, consumers),
                  rate(round, "evring-gated-in-place", payload, burst, consumers));
}

/// The best of what this build has packaged; `best` picks among id's figures.
template <class Id>
Figure best_packaged(const Round& round, Delivery delivery, std::size_t payload, bool smallest,
                     Id&& id_of) {
  Figure best;
  for (const Contender& each : all_contenders()) {
    if (each.origin != Origin::kPackaged || each.delivery != delivery) continue;
    if (each.payload_bytes != payload) continue;
    const Figure found = value_of(round, id_of(each.name));
    if (found && (!best || (smallest ? *found < *best : *found > *best))) best = found;
  }
  return best;
}

Figure best_fan_out(const Round& round, std::size_t payload, std::size_t burst,
                    unsigned consumers) {
  return best_packaged(round, Delivery::kEach, payload, false, [&](const std::string& name) {
    return throughput_id(name, payload, burst, consumers);
  });
}

/// With one consumer a shared queue is a broadcast as well.
Figure best_one_to_one(const Round& round, std::size_t payload, std::size_t burst) {
  const Figure shared = best_packaged(
      round, Delivery::kShared, payload, false,
      [&](const std::string& name) { return throughput_id(name, payload, burst, 1); });
  return std::max(shared, best_fan_out(round, payload, burst, 1));
}

Figure bare_lines(const Round& round) {
  Figure best;
  for (const char* loop : {"bare-plain", "bare-vector"}) {
    for (const int burst : {32, 256}) {
      best = std::max(best, value_of(round, fmt::format("{}/burst{}/4096", loop, burst)));
    }
  }
  return best;
}

std::string latency_id(const std::string& name, double rate_hz) {
  return fmt::format("latency/{}/56B/{:.0f}Hz/4096", name, rate_hz);
}

Figure best_latency(const Round& round, double rate_hz) {
  Figure best;
  for (const Delivery delivery : {Delivery::kEach, Delivery::kShared}) {
    const Figure found = best_packaged(round, delivery, 56, true, [&](const std::string& name) {
      return latency_id(name, rate_hz);
    });
    if (found && (!best || *found < *best)) best = found;
  }
  return best;
}

Figure best_same_thread(const Round& round) {
  Figure best;
  for (const Delivery delivery : {Delivery::kEach, Delivery::kShared}) {
    const Figure found = best_packaged(round, delivery, 56, true, [](const std::string& name) {
      return "same-thread/" + name + "/56B/burst32";
    });
    if (found && (!best || *found < *best)) best = found;
  }
  return best;
}

Figure same_thread(const Round& round, const std::string& name) {
  return value_of(round, "same-thread/" + name + "/56B/burst32");
}

Figure delivered_of_published(const Round& round) {
  const std::string id = throughput_id("evring-overwrite", 56, 32, 1);
  return ratio(value_of(round, id, "received"), value_of(round, id, "published"));
}

Figure half_round_trip(const Round& round) {
  const Figure line = value_of(round, "ping-pong/evring-overwrite/56B", "one_line_ns");
  return line ? Figure(*line / 2) : std::nullopt;
}

void add_throughput(std::vector<BarPart>& bars) {
  bars.push_back({1, "gated 56 B x32 / bare lines streamed", true, 0.80, [](const Round& round) {
                    return ratio(evring_rate(round, 56, 32), bare_lines(round));
                  }});
  bars.push_back({1, "gated 56 B x32 / best packaged peer", true, 1.1, [](const Round& round) {
                    return ratio(evring_rate(round, 56, 32), best_one_to_one(round, 56, 32));
                  }});
  bars.push_back({1, "gated 56 B x32 / mutex list", true, 60, [](const Round& round) {
                    return ratio(evring_rate(round, 56, 32), rate(round, "mutex-list", 56, 32));
                  }});
  bars.push_back({2, "gated 56 B one at a time / bursts of 32", true, 0.85, [](const Round& round) {
                    return ratio(evring_rate(round, 56, 1), evring_rate(round, 56, 32));
                  }});
  bars.push_back({3, "gated 16 B x32 / 56 B x32", true, 1.4, [](const Round& round) {
                    return ratio(evring_rate(round, 16, 32), evring_rate(round, 56, 32));
                  }});
  bars.push_back({4, "overwrite 56 B x32: delivered / published, all accounted for", true, 0.9,
                  delivered_of_published});
  for (const unsigned consumers : {2u, 4u}) {
    bars.push_back({6, fmt::format("gated 56 B x32, {} consumers / best fan-out", consumers), true,
                    1.2, [consumers](const Round& round) {
                      return ratio(evring_rate(round, 56, 32, consumers),
                                   best_fan_out(round, 56, 32, consumers));
                    }});
  }
}

void add_latency(std::vector<BarPart>& bars) {
  for (const double rate_hz : {1e3, 1e4, 1e5, 1e6}) {
    bars.push_back({5, fmt::format("one-way p50 at {:.0f}/s / half a bare round trip", rate_hz),
                    false, 1.1, [rate_hz](const Round& round) {
                      return ratio(value_of(round, latency_id("evring-overwrite", rate_hz)),
                                   half_round_trip(round));
                    }});
    bars.push_back({5, fmt::format("one-way p50 at {:.0f}/s / best packaged peer", rate_hz), false,
                    1.0, [rate_hz](const Round& round) {
                      return ratio(value_of(round, latency_id("evring-overwrite", rate_hz)),
                                   best_latency(round, rate_hz));
                    }});
  }
  bars.push_back(
      {5, "round trip / bare two-line ping-pong, in turns", false, 0.65, [](const Round& round) {
         const std::string id = "ping-pong/evring-overwrite/56B";
         return ratio(value_of(round, id), value_of(round, id, "two_line_ns"));
       }});
}

BarPart not_measured(unsigned bar, const std::string& name, bool at_least, double limit) {
  return {bar, name + " (not measured by this program)", at_least, limit,
          [](const Round&) { return Figure(); }};
}

void add_rest(std::vector<BarPart>& bars) {
  bars.push_back(not_measured(7, "group / best of rte_ring SP/MC and HTS", true, 1.25));
  bars.push_back({8, "produce + consume, 56 B x32 / cheapest packaged peer", false, 1.05,
                  [](const Round& round) {
                    return ratio(std::min(same_thread(round, "evring-gated"),
                                          same_thread(round, "evring-overwrite")),
                                 best_same_thread(round));
                  }});
  bars.push_back(not_measured(8, "instructions per event above no queue", false, 28));
  bars.push_back(not_measured(9, "publish, nobody armed / doorbells compiled out", false, 1.03));
  bars.push_back({10, "doorbell wake-up p50 / bare eventfd", false, 1.15, [](const Round& round) {
                    return ratio(value_of(round, "doorbell-wake"), value_of(round, "eventfd-wake"));
                  }});
  bars.push_back(not_measured(11, "1,024 rings, one busy / that ring alone", true, 0.8));
  bars.push_back(not_measured(12, "worst rate of the sweep / worse of spin and park", true, 0.9));
  bars.push_back(not_measured(13, "guest: delivered / mutex-list driver", true, 10));
  bars.push_back(not_measured(14, "guest: cost in interrupt / local producer", false, 1.3));
  bars.push_back(not_measured(15, "producer with a stopped consumer / without", true, 0.95));
}

}  // namespace

std::vector<BarPart> all_bars() {
  std::vector<BarPart> bars;
  add_throughput(bars);
  add_latency(bars);
  add_rest(bars);
  std::stable_sort(bars.begin(), bars.end(),
                   [](const BarPart& a, const BarPart& b) { return a.bar < b.bar; });
  return bars;
}

BarResult hold(const BarPart& part, const std::vector<Round>& rounds) {
  BarResult result{
      .bar = part.bar, .name = part.name, .at_least = part.at_least, .limit = part.limit};
  std::vector<double> figures;
  for (const Round& round : rounds) {
    if (const Figure figure = part.figure(round)) figures.push_back(*figure);
  }
  result.round_count = static_cast<unsigned>(figures.size());
  if (figures.empty()) return result;
  result.value = median(figures);
  result.p10 = percentile(figures, 0.1);
  result.p90 = percentile(figures, 0.9);
  result.pass = part.at_least ? *result.value >= part.limit : *result.value <= part.limit;
  return result;
}

nlohmann::json to_json(const BarResult& result) {
  nlohmann::json record = {
      {"number", result.bar},
      {"name", result.name},
      {"value", nullptr},
      {"bar", fmt::format("{} {}", result.at_least ? ">=" : "<=", result.limit)},
      {"spread", {{"p10", result.p10}, {"p90", result.p90}, {"rounds", result.round_count}}},
      {"pass", result.pass}};
  if (result.value) record["value"] = *result.value;
  return record;
}

}  // namespace evring::bench
