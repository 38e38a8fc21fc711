// SPDX-License-Identifier: MIT
// Bars 1 to 4 and 6: one producer, every consumer sees every event.
#include "bars.hpp"

#include <bench/measure/thread.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace evring::bench {
namespace {

constexpr const char* kCopy = "evring-gated";
constexpr const char* kInPlace = "evring-gated-in-place";

/// Either way in and out of a gated ring.
std::vector<Candidate> gated(std::size_t payload, std::size_t burst, unsigned consumers = 1) {
  return placed({throughput_of(kCopy, payload, burst, consumers),
                 throughput_of(kInPlace, payload, burst, consumers)},
                payload, burst, consumers);
}

std::vector<Candidate> bare_lines(const std::vector<int>& bursts = {32, 256}) {
  std::vector<Candidate> limits;
  for (const char* loop : {"bare-plain", "bare-vector"}) {
    for (const int burst : bursts) {
      limits.push_back({fmt::format("{} by {}", loop, burst),
                        figure_of(fmt::format("{}/burst{}/4096", loop, burst))});
    }
  }
  return limits;
}

Figure best_bare_line(const std::vector<int>& bursts = {32, 256}) {
  return best_figure(bare_lines(bursts), Better::kLarger);
}

std::vector<Candidate> peers(bool shared, std::size_t burst, unsigned consumers) {
  const auto id_of = [=](const std::string& name) {
    return throughput_id(name, 56, burst, consumers);
  };
  return placed(packaged(true, shared, 56, id_of), 56, burst, consumers);
}

std::optional<double> delivered_of_published(const Round& round) {
  const std::string id = throughput_id("evring-overwrite", 56, 32, 1);
  const std::optional<double> received = value_of(round, id, "received");
  const std::optional<double> published = value_of(round, id, "published");
  if (!received || !published || *published == 0) return std::nullopt;
  return *received / *published;
}

/// What a thread keeps of its share of the cores when `more` consumers run, not `fewer`:
/// a producer and its consumers are one thread each.
double share_kept(unsigned fewer, unsigned more) {
  const auto cores = static_cast<double>(allowed_cpus().size());
  return std::min(1.0, cores / (1 + more)) / std::min(1.0, cores / (1 + fewer));
}

/// As BarPart::why_not: what `consumers` keep of the rate of bare lines, where one
/// consumer alone exceeds that.
auto beside_bare_lines(unsigned consumers) {
  return [consumers](const Rounds& rounds) -> std::optional<std::string> {
    const auto of_bare_lines = [&](unsigned count) {
      return median_over(rounds,
                         ratio_of(throughput_of(kInPlace, 56, 32, count).figure, best_bare_line()));
    };
    const std::optional<double> one = of_bare_lines(1);
    const std::optional<double> more = of_bare_lines(consumers);
    if (!one || !more || *one <= 1) return std::nullopt;
    return fmt::format(
        "one consumer alone gets {:.2f} of bare lines streamed, for it drains behind a producer "
        "that runs ahead; {} get {:.2f} of them",
        *one, consumers, *more);
  };
}

}  // namespace

void add_broadcast_bars(Bars& bars) {
  const Figure mutex_list = throughput_of("mutex-list", 56, 32).figure;
  bars.push_back({.bar = 1,
                  .name = "gated 56 B x32 / bare lines streamed",
                  .limit = 0.80,
                  .ours = gated(56, 32),
                  .theirs = bare_lines()});
  bars.push_back({.bar = 1,
                  .name = "gated 56 B x32 / best packaged peer",
                  .limit = 1.1,
                  .ours = gated(56, 32),
                  .theirs = peers(true, 32, 1)});
  bars.push_back(
      {.bar = 1,
       .name = "gated 56 B x32 / mutex list",
       .limit = 60,
       .ours = gated(56, 32),
       .theirs = {throughput_of("mutex-list", 56, 32)},
       .why_not = held_back_by(ratio_of(best_bare_line(), mutex_list), Better::kLarger, 60,
                               "bare lines streamed are {:.1f} times the mutex list")});
  bars.push_back({.bar = 2,
                  .name = "gated 56 B one at a time / bursts of 32",
                  .limit = 0.85,
                  .ours = gated(56, 1),
                  .theirs = gated(56, 32),
                  .why_not = held_back_by(
                      ratio_of(best_bare_line({1}), best_bare_line()), Better::kLarger, 0.85,
                      "bare lines whose head is stored after each reach {:.2f} of bare lines whose "
                      "head is stored after a batch")});
  bars.push_back({.bar = 3,
                  .name = "gated 16 B x32 / 56 B x32",
                  .limit = 1.4,
                  .ours = gated(16, 32),
                  .theirs = gated(56, 32)});
  bars.push_back({.bar = 4,
                  .name = "overwrite 56 B x32: delivered / published, all accounted for",
                  .limit = 0.9,
                  .ours = {{"evring-overwrite", delivered_of_published}}});
  for (const unsigned consumers : {2u, 4u}) {
    bars.push_back({.bar = 6,
                    .name = fmt::format("gated 56 B x32, {} consumers / best fan-out", consumers),
                    .limit = 1.2,
                    .ours = gated(56, 32, consumers),
                    .theirs = peers(false, 32, consumers)});
    const unsigned fewer = consumers / 2;
    bars.push_back({.bar = 6,
                    .name = fmt::format("gated 56 B x32, {} consumers / {} (bar: a thread's share)",
                                        consumers, fewer),
                    .limit = share_kept(fewer, consumers),
                    .ours = gated(56, 32, consumers),
                    .theirs = gated(56, 32, fewer),
                    .why_not = beside_bare_lines(consumers)});
  }
}

}  // namespace evring::bench
