// SPDX-License-Identifier: MIT
// Bars 13 and 14: the kernel side, in guests. Their rounds come from bench/guest/run_bars.
#include "bars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace evring::bench {
namespace {

std::string race_id(const std::string& kernel, const std::string& contender, unsigned burst,
                    unsigned consumers) {
  return fmt::format("guest/{}/{}/burst{}/10p{}c", kernel, contender, burst, consumers);
}

bool was_measured(const std::string& kernel, const Rounds& rounds) {
  const std::string prefix = "guest/" + kernel + "/";
  return std::any_of(rounds.begin(), rounds.end(), [&](const Round& round) {
    return std::any_of(round.begin(), round.end(),
                       [&](const auto& each) { return each.first.rfind(prefix, 0) == 0; });
  });
}

std::optional<std::string> why_not_measured(const std::string& kernel, const Rounds& rounds) {
  for (const Round& round : rounds) {
    const auto found = round.find("guest/skipped");
    if (found != round.end()) return found->second.value("reason", "");
  }
  if (!was_measured(kernel, rounds)) return "no guest with this kernel in this run";
  return std::nullopt;
}

/// As BarPart::why_not.
auto missing(const std::string& kernel) {
  return [kernel](const Rounds& rounds) { return why_not_measured(kernel, rounds); };
}

/// The ring over another driver, ten injectors.
BarPart race_part(const std::string& kernel, const std::string& other, unsigned burst,
                  unsigned consumers, double limit, const std::string& key = "value") {
  return {.bar = 13,
          .name = fmt::format("guest {}: {} / {}, {} consumer{}, x{}", kernel,
                              key == "value" ? "delivered" : key, other, consumers,
                              consumers == 1 ? "" : "s", burst),
          .limit = limit,
          .ours = {{"ring", figure_of(race_id(kernel, "ring", burst, consumers), key)}},
          .theirs = {{other, figure_of(race_id(kernel, other, burst, consumers), key)}},
          .why_not = missing(kernel)};
}

/// What a ring that costs nothing would allow: an event has to be handed over in a call, and
/// each reader has to check it.
std::optional<std::string> ceiling_of_calls(const std::string& kernel, const Rounds& rounds) {
  const Figure kfifo = figure_of(race_id(kernel, "kfifo", 1, 4));
  const std::optional<double> ceiling =
      median_over(rounds, ratio_of(figure_of(race_id(kernel, "refused", 1, 4)), kfifo));
  const std::optional<double> one_reader =
      median_over(rounds, ratio_of(figure_of(race_id(kernel, "ring", 1, 1)), kfifo));
  if (!ceiling || !one_reader) return why_not_measured(kernel, rounds);
  return fmt::format(
      "one call an event: a ring that costs nothing, its injections copied in, checked and "
      "refused, its four readers checking as many payloads in memory of their own, gets {:.2f} x "
      "what the kfifo delivers; four times what one reader of the ring gets is {:.2f} x",
      *ceiling, 4 * *one_reader);
}

void add_kfifo_parts(Bars& bars, const std::string& kernel) {
  for (const unsigned burst : {1U, 32U}) {
    bars.push_back(race_part(kernel, "kfifo", burst, 1, 1));
    BarPart four = race_part(kernel, "kfifo", burst, 4, 3);
    if (burst == 1) {
      four.why_not = [kernel](const Rounds& rounds) { return ceiling_of_calls(kernel, rounds); };
    }
    bars.push_back(std::move(four));
  }
}

void add_publish_parts(Bars& bars, const std::string& kernel) {
  const auto id = [&](const std::string& source) {
    return fmt::format("guest/{}/publish/{}", kernel, source);
  };
  for (const auto& [source, local, what] :
       {std::array{"timer", "local-tick", "hard timer"}, std::array{"edu", "local-edu", "MSI"}}) {
    bars.push_back({.bar = 14,
                    .name = fmt::format("guest {}: {} x32 / local producer", kernel, what),
                    .better = Better::kSmaller,
                    .limit = 1.3,
                    .ours = {{source, figure_of(id(source))}},
                    .theirs = {{local, figure_of(id(local))}},
                    .why_not = missing(kernel)});
    bars.push_back({.bar = 14,
                    .name = fmt::format("guest {}: {}, doorbells while it spins", kernel, what),
                    .better = Better::kSmaller,
                    .limit = 0,
                    .ours = {{source, figure_of(id(source), "doorbells")}},
                    .why_not = missing(kernel)});
  }
}

}  // namespace

void add_guest_bars(Bars& bars) {
  for (const char* kernel : {"6.1", "6.12", "6.12-rt"}) {
    const double times = std::string(kernel) == "6.12-rt" ? 50 : 10;
    bars.push_back(race_part(kernel, "list", 1, 1, times));
    bars.push_back(race_part(kernel, "list", 1, 1, 1.2, "injected"));
    add_kfifo_parts(bars, kernel);
    add_publish_parts(bars, kernel);
  }
}

}  // namespace evring::bench
