// SPDX-License-Identifier: MIT
// What evring must reach, held against the rounds. A bar has parts; a part is a ratio
// of two figures of one round (or one figure alone), its value the median over rounds.
// Where several could stand on a side, the one that stands best over all rounds
// does, in every round. A part without a figure fails: what was not measured is not
// passed.
#pragma once

#include "rounds.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace evring::bench {

/// Nothing where a round lacks it.
using Figure = std::function<std::optional<double>(const Round&)>;

/// The value of a case, or another number of its record.
Figure figure_of(std::string id, std::string key = "value");

/// One that may stand on a side of a ratio.
struct Candidate {
  std::string name;
  Figure figure;
};

enum class Better { kLarger, kSmaller };

struct BarPart {
  unsigned bar = 0;  ///< number in the table of bars
  std::string name{};
  Better better = Better::kLarger;  ///< of the value, and of the candidates' figures
  double limit = 0;                 ///< at least or at most, as `better` says
  std::vector<Candidate> ours{};
  std::vector<Candidate> theirs{};  ///< empty: the value is the figure of ours
  /// What keeps it from being reached here, or measured, from figures of these rounds.
  std::function<std::optional<std::string>(const Rounds&)> why_not{};
};

struct BarResult {
  unsigned bar = 0;
  std::string name{};
  Better better = Better::kLarger;
  double limit = 0;
  std::optional<double> value{};  ///< median over rounds
  double p10 = 0;                 ///< percentiles over rounds
  double p90 = 0;
  unsigned round_count = 0;  ///< rounds that had the figure
  bool pass = false;
  std::string ours{};  ///< who stood on our side
  std::string peer{};  ///< who stood on the other
  std::optional<std::string> why_not{};
};

using Bars = std::vector<BarPart>;

void add_broadcast_bars(Bars& bars);  // 1 to 4 and 6
void add_latency_bars(Bars& bars);    // 5
void add_shared_bars(Bars& bars);     // 7
void add_cost_bars(Bars& bars);       // 8
void add_idle_bars(Bars& bars);       // 9 to 12
void add_guest_bars(Bars& bars);      // 13 and 14
void add_stopped_bars(Bars& bars);    // 15

/// In the order of their numbers.
Bars all_bars();

/// The candidate that stands best beside the best of its round, by the median over rounds;
/// null when none has a figure. A machine's phases are long and the figures of two phases
/// far apart: a median of figures falls where one phase ends, and says who was luckier there.
const Candidate* best_of(const std::vector<Candidate>& candidates, Better better,
                         const Rounds& rounds);

BarResult hold(const BarPart& part, const Rounds& rounds);

/// {"number", "name", "value", "bar", "spread": {"p10", "p90", "rounds"}, "pass"}, and
/// "ours", "peer" and "limit" where there is something to say.
nlohmann::json to_json(const BarResult& result);

// Candidates that several bars share.

/// The figure of what is packaged with that payload and delivery, under the id that
/// `id_of` gives to a name.
std::vector<Candidate> packaged(bool each, bool shared, std::size_t payload_bytes,
                                const std::function<std::string(const std::string&)>& id_of);
std::string throughput_id(const std::string& name, std::size_t payload_bytes, std::size_t burst,
                          unsigned consumers);
/// Candidates of throughput, and each once more by the same case in the variant kSpread.
std::vector<Candidate> placed(std::vector<Candidate> candidates, std::size_t payload_bytes,
                              std::size_t burst, unsigned consumers);
Candidate throughput_of(const std::string& name, std::size_t payload_bytes, std::size_t burst,
                        unsigned consumers = 1);
/// A why_not: the text with the median of `figure` for its {}, where that median itself
/// is on the wrong side of the bar.
std::function<std::optional<std::string>(const Rounds&)> held_back_by(Figure figure, Better better,
                                                                      double limit,
                                                                      std::string text);
/// The median of `figure`, over the rounds that have it.
std::optional<double> median_over(const Rounds& rounds, const Figure& figure);
/// The best of the candidates' figures of a round.
Figure best_figure(std::vector<Candidate> candidates, Better better);
/// The ratio of two figures of a round.
Figure ratio_of(Figure over, Figure under);

/// A bar that nothing of this program measures yet.
BarPart not_measured(unsigned bar, const std::string& name, Better better, double limit);

}  // namespace evring::bench
