// SPDX-License-Identifier: MIT
// `evring bench`: has evring_rig run some of its cases on each core, in turn, round by round,
// and shows the median of each with its spread, beside the machine it was measured on.
#include <sys/utsname.h>

#include <algorithm>
#include <evring/poller/cpu_list.hpp>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/bench/rig.hpp"
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

/// A case of the rig, as it is shown here.
struct Subject {
  const char* name;
  const char* what;
  const char* unit;
  bool two_cpus;  ///< skipped where there is one
  const char* arguments;
  bool in_batches = false;       ///< a batch a call; else one event
  double scale = 1;              ///< from the record's unit to this one
  const char* key = "value";     ///< of the record
  double events_per_second = 0;  ///< of a round, for loops that count and know no duration
};

constexpr Subject kSubjects[] = {
    {"publish", "publish one event, nobody reads", "ns/event", false,
     "--loop=publish --contender=evring-overwrite"},
    {"publish-batch", "publish in batches", "ns/event", false,
     "--loop=publish --contender=evring-overwrite", true},
    {"read", "read one event at a time", "ns/event", false,
     "--loop=read --contender=evring-overwrite"},
    {"read-burst", "read in bursts", "ns/event", false, "--loop=read --contender=evring-overwrite",
     true},
    {"same-thread", "publish and read on one thread", "ns/event", false,
     "--loop=same-thread --contender=evring-gated"},
    {"stream", "one producer to one consumer, nothing lost", "M events/s", true,
     "--loop=throughput --contender=evring-gated", true, 1e-6},
    {"stream-list", "the same through a list and a mutex, to compare", "M events/s", true,
     "--loop=throughput --contender=mutex-list-burst", true, 1e-6},
    {"ping-pong", "one way, both sides spinning", "ns", true,
     "--loop=ping-pong --contender=evring-gated", false, 0.5, "value", 1e6},
    {"wake-up", "one way to a parked consumer", "ns", true, "--loop=parked-wake", false, 1,
     "poller_p50_ns", 400},
};

constexpr double kStartS = 0.03;  // of a process, and what its loop does before it measures
constexpr double kLongestRoundS = 0.1;
constexpr double kShortestRoundS = 0.005;
constexpr double kMostRounds = 9;
constexpr double kFewestRounds = 3;
constexpr double kWholeRunS = 40;

struct Result {
  const Subject& subject;
  std::vector<double> rounds{};  ///< ascending; empty: skipped

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
  for (const Subject& subject : kSubjects) {
    known += (known.empty() ? "" : ", ") + std::string(subject.name);
    const bool wanted = asked.names.empty() || std::find(asked.names.begin(), asked.names.end(),
                                                         subject.name) != asked.names.end();
    if (wanted) chosen.push_back({subject});
  }
  if (!asked.names.empty() && chosen.size() != asked.names.size()) {
    throw usage_error("case", "unknown", "known are " + known);
  }
  return chosen;
}

/// One core, with all that is measured on it.
struct Place {
  unsigned first_cpu = 0;
  std::optional<unsigned> second_cpu{};
  std::vector<Result> results{};
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
    asked.round_count = static_cast<unsigned>(
        std::clamp(each_s / (kStartS + shortest_s), kFewestRounds, kMostRounds));
  }
  if (asked.round_s == 0) {
    asked.round_s =
        std::clamp(each_s / asked.round_count - kStartS, kShortestRoundS, kLongestRoundS);
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
    places.push_back({.first_cpu = cpus[i], .results = cases});
    if (cpus.size() > 1) places.back().second_cpu = cpus[(i + 1) % cpus.size()];
  }
  return places;
}

std::vector<std::string> rig_arguments(const AskedToMeasure& asked, const Place& place,
                                       const Subject& subject) {
  std::vector<std::string> words = {
      subject.arguments, fmt::format("--burst={}", subject.in_batches ? asked.batch_count : 1),
      fmt::format("--slots={}", asked.slot_count), fmt::format("--cpus={}", place.first_cpu),
      "--no-fifo"};
  if (place.second_cpu) words[3] += fmt::format(",{}", *place.second_cpu);
  if (asked.huge_pages) words.push_back("--hugepages");
  const double events = std::max(1.0, subject.events_per_second * asked.round_s);
  words.push_back(subject.events_per_second != 0
                      ? fmt::format("--events={:.0f}", events)
                      : fmt::format("--duration-ms={:.0f}", asked.round_s * 1e3));
  return words;
}

void run_place(const Rig& rig, const AskedToMeasure& asked, Place& place) {
  for (unsigned round = 0; round < asked.round_count; ++round) {
    for (Result& result : place.results) {
      const Subject& subject = result.subject;
      if (subject.two_cpus && !place.second_cpu) continue;
      if (stop::requested()) break;
      const Json record = rig.run(rig_arguments(asked, place, subject));
      if (!record.is_null()) {
        result.rounds.push_back(record[subject.key].get<double>() * subject.scale);
      }
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
  print("\nproducer on CPU {}, consumer on {}\n", place.first_cpu,
        place.second_cpu ? fmt::format("CPU {}", *place.second_cpu) : "none");
  print("{:<14} {:>10} {:>21}  {:<11} {}\n", "CASE", "MEDIAN", "10TH TO 90TH", "UNIT", "WHAT");
  for (const Result& result : place.results) {
    const Subject& subject = result.subject;
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
  const auto& second = place.second_cpu;
  return {{"producer_cpu", place.first_cpu},
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
  const Rig rig;
  const std::string command = fmt::format(
      "evring bench --rounds {} --round-seconds {:.3f} --slots {} --batch {}{}", asked.round_count,
      asked.round_s, asked.slot_count, asked.batch_count, asked.huge_pages ? " --hugepages" : "");
  const Json machine = machine_json(command);
  if (!asked.json) print_machine(machine);
  Json cores = Json::array();
  for (Place& place : places) {
    if (stop::requested()) break;
    run_place(rig, asked, place);
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
  Options options = program.add("bench", "Measure the ring on this machine, in under a minute",
                                [asked] { return run_bench(*asked); });
  options.texts("case", asked->names, "Cases; all of them by default");
  options.text("--cpus", asked->cpus,
               "One pair instead of each core: the producer's CPU, then the consumer's");
  options.number("--rounds", asked->round_count, 1, 1000,
                 "Rounds of each case; by default 9, or fewer on many cores");
  options.seconds("--round-seconds", asked->round_s, std::chrono::milliseconds(1),
                  std::chrono::seconds(10),
                  "How long a round lasts; by default 0.1, or less on many cores");
  options.power_of_two("--slots", asked->slot_count, 64, EVRING_SLOT_COUNT_MAX >> 2,
                       "Slots of the ring, a power of two");
  options.number("--batch", asked->batch_count, 1, 64, "Events of a batch and of a burst");
  add_huge_pages_option(options, asked->huge_pages);
  options.flag("--json", asked->json, "Print JSON");
}

}  // namespace evring::cli
