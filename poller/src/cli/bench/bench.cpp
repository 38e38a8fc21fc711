// SPDX-License-Identifier: MIT
// `evring bench`: runs the cases on each core, in turn, round by round, and shows the
// median of each with its spread, beside the machine it was measured on.
#include "cli/bench/bench.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <evring/poller/cpu_list.hpp>
#include <fstream>
#include <memory>

#include "cli/commands.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {
namespace {

struct AskedToMeasure {
  std::string cpus;
  std::vector<std::string> names;
  unsigned round_count = 0;  ///< 0, both: what keeps all of it under a minute
  double round_s = 0;
  std::uint64_t slot_count = 4096;
  unsigned batch_count = 32;
  bool huge_pages = false;
  bool json = false;
};

constexpr double kLongestRoundS = 0.1;
constexpr double kShortestRoundS = 0.005;
constexpr double kMostRounds = 9;
constexpr double kFewestRounds = 3;
constexpr double kWholeRunS = 40;

struct Result {
  BenchCase subject;
  std::vector<double> rounds;  ///< ascending; empty: skipped

  double quantile(double q) const {
    return rounds[static_cast<std::size_t>(q * static_cast<double>(rounds.size() - 1) + 0.5)];
  }
};

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

std::vector<Result> choose(const AskedToMeasure& asked) {
  std::vector<Result> chosen;
  std::string known;
  for (BenchCase& subject : bench_cases()) {
    known += (known.empty() ? "" : ", ") + subject.name;
    const bool wanted = asked.names.empty() || std::find(asked.names.begin(), asked.names.end(),
                                                         subject.name) != asked.names.end();
    if (wanted) chosen.push_back({std::move(subject), {}});
  }
  if (!asked.names.empty() && chosen.size() != asked.names.size()) {
    throw usage_error("case", "unknown", "known are " + known);
  }
  return chosen;
}

/// One core, with all that is measured on it.
struct Place {
  BenchPlan plan;
  std::vector<Result> results;
};

std::vector<unsigned> chosen_cpus(const AskedToMeasure& asked) {
  return asked.cpus.empty() ? allowed_cpus() : cpus_of("--cpus", asked.cpus);
}

/// Fills in how many rounds and how long, where that was left open, for `case_count` cases
/// over all cores.
void fit_into_a_minute(AskedToMeasure& asked, std::size_t case_count) {
  const double each_s = kWholeRunS / static_cast<double>(case_count);
  if (asked.round_count == 0) {
    const double shortest_s = asked.round_s != 0 ? asked.round_s : kShortestRoundS;
    asked.round_count =
        static_cast<unsigned>(std::clamp(each_s / shortest_s, kFewestRounds, kMostRounds));
  }
  if (asked.round_s == 0) {
    asked.round_s = std::clamp(each_s / asked.round_count, kShortestRoundS, kLongestRoundS);
  }
}

/// Each CPU as the producer, the one after it as the consumer; with --cpus, the first and
/// the second alone.
std::vector<Place> choose_places(AskedToMeasure& asked) {
  const std::vector<unsigned> cpus = chosen_cpus(asked);
  const std::vector<Result> cases = choose(asked);
  const std::size_t count = asked.cpus.empty() ? cpus.size() : 1;
  fit_into_a_minute(asked, count * cases.size());
  std::vector<Place> places;
  for (std::size_t i = 0; i < count; ++i) {
    BenchPlan plan;
    plan.first_cpu = cpus[i];
    if (cpus.size() > 1) plan.second_cpu = cpus[(i + 1) % cpus.size()];
    plan.slot_count = asked.slot_count;
    plan.batch_count = asked.batch_count;
    plan.huge_pages = asked.huge_pages;
    plan.round_s = asked.round_s;
    places.push_back({plan, cases});
  }
  return places;
}

void run_place(const AskedToMeasure& asked, Place& place) {
  pin_this_thread(place.plan.first_cpu);
  for (unsigned round = 0; round < asked.round_count && !stop::requested(); ++round) {
    for (Result& result : place.results) {
      if (result.subject.two_cpus && !place.plan.second_cpu) continue;
      if (stop::requested()) break;
      result.rounds.push_back(result.subject.round(place.plan));
    }
  }
  for (Result& result : place.results) std::sort(result.rounds.begin(), result.rounds.end());
}

Json machine_json(const std::string& command) {
  utsname machine{};
  uname(&machine);
  const std::string governor = read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  return {{"cpu", cpu_model()},
          {"kernel", machine.release},
          {"governor", governor.empty() ? "not offered" : governor},
          {"allowed_cpus", format_cpu_list(allowed_cpus())},
          {"command", command}};
}

void print_machine(const Json& machine) {
  print("{}, kernel {}, governor {}, CPUs {}\n{}\n", machine["cpu"].get<std::string>(),
        machine["kernel"].get<std::string>(), machine["governor"].get<std::string>(),
        machine["allowed_cpus"].get<std::string>(), machine["command"].get<std::string>());
}

void print_place(const Place& place) {
  print("\nproducer on CPU {}, consumer on {}\n", place.plan.first_cpu,
        place.plan.second_cpu ? fmt::format("CPU {}", *place.plan.second_cpu) : "none");
  print("{:<14} {:>10} {:>21}  {:<11} {}\n", "CASE", "MEDIAN", "10TH TO 90TH", "UNIT", "WHAT");
  for (const Result& result : place.results) {
    const BenchCase& subject = result.subject;
    if (result.rounds.empty()) {
      print("{:<14} {:>10} {:>21}  {:<11} {}\n", subject.name, "-",
            subject.two_cpus ? "skipped: one CPU" : "skipped", subject.unit, subject.what);
      continue;
    }
    print("{:<14} {:>10.1f} {:>10.1f} {:>10.1f}  {:<11} {}\n", subject.name, result.quantile(0.5),
          result.quantile(0.1), result.quantile(0.9), subject.unit, subject.what);
  }
}

Json results_json(const std::vector<Result>& results) {
  Json array = Json::array();
  for (const Result& result : results) {
    Json json = {{"name", result.subject.name},
                 {"unit", result.subject.unit},
                 {"what", result.subject.what},
                 {"rounds", result.rounds.size()}};
    if (!result.rounds.empty()) {
      json["median"] = result.quantile(0.5);
      json["p10"] = result.quantile(0.1);
      json["p90"] = result.quantile(0.9);
    }
    array.push_back(std::move(json));
  }
  return array;
}

Json place_json(const Place& place) {
  const auto& second = place.plan.second_cpu;
  return {{"producer_cpu", place.plan.first_cpu},
          {"consumer_cpu", second ? Json(*second) : Json(nullptr)},
          {"results", results_json(place.results)}};
}

int run_bench(AskedToMeasure asked) {
  stop::watch_signals();
  if (asked.huge_pages) {
    warn_of_small_pages(
        LocalRing::anonymous({.slot_count = asked.slot_count, .name = "bench", .huge_pages = true}),
        true);
  }
  std::vector<Place> places = choose_places(asked);
  const std::string command = fmt::format(
      "evring bench --rounds {} --round-seconds {:.3f} --slots {} --batch {}{}", asked.round_count,
      asked.round_s, asked.slot_count, asked.batch_count, asked.huge_pages ? " --hugepages" : "");
  const Json machine = machine_json(command);
  if (!asked.json) print_machine(machine);
  Json cores = Json::array();
  for (Place& place : places) {
    if (stop::requested()) break;
    run_place(asked, place);
    if (asked.json) {
      cores.push_back(place_json(place));
    } else {
      print_place(place);
    }
    flush_out();
  }
  if (asked.json) print_json({{"machine", machine}, {"cores", std::move(cores)}});
  return kFine;
}

}  // namespace

void add_bench(Program& program) {
  const auto asked = std::make_shared<AskedToMeasure>();
  CLI::App* sub = program.add("bench", "Measure the ring on this machine, in under a minute",
                              [asked] { return run_bench(*asked); });
  sub->add_option("case", asked->names, "Cases; all of them by default");
  sub->add_option("--cpus", asked->cpus,
                  "One pair instead of each core: the producer's CPU, then the consumer's");
  sub->add_option("--rounds", asked->round_count,
                  "Rounds of each case; by default 9, or fewer on many cores")
      ->transform(whole_number(1, 1000));
  sub->add_option("--round-seconds", asked->round_s,
                  "How long a round lasts; by default 0.1, or less on many cores")
      ->transform(duration(std::chrono::milliseconds(1), std::chrono::seconds(10)));
  sub->add_option("--slots", asked->slot_count, "Slots of the ring, a power of two")
      ->transform(power_of_two(64, EVRING_SLOT_COUNT_MAX >> 2))
      ->capture_default_str();
  sub->add_option("--batch", asked->batch_count, "Events of a batch and of a burst")
      ->transform(whole_number(1, 64))
      ->capture_default_str();
  add_huge_pages_option(sub, asked->huge_pages);
  sub->add_flag("--json", asked->json, "Print JSON");
}

}  // namespace evring::cli
