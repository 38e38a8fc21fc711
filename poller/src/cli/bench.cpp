// SPDX-License-Identifier: MIT
// `evring bench`: runs the cases in turn, round by round, and shows the median of
// each with its spread, beside the machine it was measured on.
#include "bench.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <evring/poller/cpu_list.hpp>
#include <fstream>
#include <memory>

#include "common.hpp"
#include "ring_options.hpp"

namespace evring::cli {
namespace {

struct Asked {
  std::string cpus;
  std::vector<std::string> names;
  unsigned round_count = 9;
  double round_s = 0.1;
  std::uint64_t slot_count = 4096;
  unsigned batch_count = 32;
  bool json = false;
};

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

BenchPlan plan_of(const Asked& asked) {
  std::vector<unsigned> cpus = allowed_cpus();
  if (!asked.cpus.empty()) {
    try {
      cpus = parse_cpu_list(asked.cpus);
    } catch (const std::invalid_argument& error) {
      throw Failure(fmt::format("--cpus: {}", error.what()), kUsage);
    }
    check_allowed(cpus);
  }
  BenchPlan plan;
  plan.first_cpu = cpus.front();
  if (cpus.size() > 1) plan.second_cpu = cpus[1];
  plan.slot_count = asked.slot_count;
  plan.batch_count = asked.batch_count;
  plan.round_s = asked.round_s;
  return plan;
}

std::vector<Result> choose(const Asked& asked) {
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

void run_rounds(const Asked& asked, const BenchPlan& plan, std::vector<Result>& results) {
  pin_this_thread(plan.first_cpu);
  for (unsigned round = 0; round < asked.round_count && !stop::requested(); ++round) {
    for (Result& result : results) {
      if (result.subject.two_cpus && !plan.second_cpu) continue;
      if (stop::requested()) break;
      result.rounds.push_back(result.subject.round(plan));
    }
  }
  for (Result& result : results) std::sort(result.rounds.begin(), result.rounds.end());
}

Json machine_json(const BenchPlan& plan, const std::string& command) {
  utsname machine{};
  uname(&machine);
  const std::string governor = read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  return {{"cpu", cpu_model()},
          {"kernel", machine.release},
          {"governor", governor.empty() ? "not offered" : governor},
          {"producer_cpu", plan.first_cpu},
          {"consumer_cpu", plan.second_cpu ? Json(*plan.second_cpu) : Json(nullptr)},
          {"command", command}};
}

void print_results(const Json& machine, const std::vector<Result>& results) {
  print("{}, kernel {}, governor {}\nproducer on CPU {}, consumer on CPU {}; {}\n",
        machine["cpu"].get<std::string>(), machine["kernel"].get<std::string>(),
        machine["governor"].get<std::string>(), machine["producer_cpu"].dump(),
        machine["consumer_cpu"].dump(), machine["command"].get<std::string>());
  print("{:<14} {:>10} {:>21}  {:<11} {}\n", "CASE", "MEDIAN", "10TH TO 90TH", "UNIT", "WHAT");
  for (const Result& result : results) {
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

int run_bench(const Asked& asked) {
  stop::watch_signals();
  std::vector<Result> results = choose(asked);
  const BenchPlan plan = plan_of(asked);
  const std::string command =
      fmt::format("evring bench --rounds {} --round-seconds {} --slots {} --batch {}",
                  asked.round_count, asked.round_s, asked.slot_count, asked.batch_count);
  run_rounds(asked, plan, results);
  const Json machine = machine_json(plan, command);
  if (asked.json) {
    print_json({{"machine", machine}, {"results", results_json(results)}});
  } else {
    print_results(machine, results);
  }
  return kFine;
}

}  // namespace

void add_bench(Program& program) {
  const auto asked = std::make_shared<Asked>();
  CLI::App* sub = program.add("bench", "Measure the ring on this machine, in under a minute",
                              [asked] { return run_bench(*asked); });
  sub->add_option("case", asked->names, "Cases; all of them by default");
  sub->add_option("--cpus", asked->cpus, "Producer's CPU, then the consumer's: 0,2 or core:1,3");
  sub->add_option("--rounds", asked->round_count, "Rounds of each case")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  sub->add_option("--round-seconds", asked->round_s, "How long a round lasts")
      ->check(CLI::Range(0.001, 10.0).description(""))
      ->capture_default_str();
  sub->add_option("--slots", asked->slot_count, "Slots of the ring, a power of two")
      ->check(power_of_two(64, EVRING_SLOT_COUNT_MAX >> 2))
      ->capture_default_str();
  sub->add_option("--batch", asked->batch_count, "Events of a batch and of a burst")
      ->check(whole_number(1, 64))
      ->capture_default_str();
  sub->add_flag("--json", asked->json, "Print JSON");
}

}  // namespace evring::cli
