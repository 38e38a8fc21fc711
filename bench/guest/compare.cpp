// SPDX-License-Identifier: MIT
// evring_guest_compare: the ring, the mutex list and the kfifo under the same load, in a
// guest with evring.ko, evring_list.ko and evring_kfifo.ko. Exit status: 0 every balance
// holds, 1 one does not or a driver is missing, 2 usage.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "report.hpp"
#include "unlocked.hpp"

namespace evring::compare {
namespace {

struct Options {
  std::vector<std::string> contenders{"ring", "list", "kfifo"};
  std::vector<int> producers{1, 2, 10};
  std::vector<int> consumers{1};
  double seconds = 1;
  int rounds = 5;
  std::uint32_t batch_count = 1;
  std::uint64_t capacity = 4096;
  std::string pinning = "spread";
  bool json = false;
  std::string records;
  bool unlocked = false;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--contenders", options.contenders, "ring, list, kfifo, refused")
      ->delimiter(',')
      ->check(CLI::IsMember({"ring", "list", "kfifo", "refused"}))
      ->capture_default_str();
  app.add_option("--producers", options.producers, "Numbers of producer processes")
      ->delimiter(',')
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--consumers", options.consumers, "Numbers of consumer processes")
      ->delimiter(',')
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of each race")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "Each contender in turn, so often")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--batch", options.batch_count, "Events in one inject")
      ->check(CLI::Range(1, EVRING_BASELINE_BATCH_MAX))
      ->capture_default_str();
  app.add_option("--capacity", options.capacity,
                 "Slots of the ring and bound of the list (a kfifo's is its module's parameter)")
      ->check(CLI::Range(16, 65536))
      ->capture_default_str();
  app.add_option("--pinning", options.pinning,
                 "spread: producers on all CPUs; apart: not on a consumer's")
      ->check(CLI::IsMember({"spread", "apart"}))
      ->capture_default_str();
  app.add_flag("--json", options.json, "Print JSON");
  app.add_option("--records", options.records,
                 "Print rounds as bench/compare takes them, their ids under this prefix");
  app.add_flag("--unlocked", options.unlocked,
               "Instead: show the list without its mutex break, beside the one with it");
}

RaceOptions race_options(const Options& options, int producers, int consumers) {
  RaceOptions race;
  race.producers = producers;
  race.consumers = consumers;
  race.batch_count = options.batch_count;
  race.duration = std::chrono::duration<double>(options.seconds);
  race.pinning = options.pinning == "apart" ? Pinning::kApart : Pinning::kSpread;
  return race;
}

/// All contenders at one load, in turns, each round begun by another: A B C, B C A.
std::vector<Series> run_load(const Options& options, int producers, int consumers) {
  const RaceOptions race = race_options(options, producers, consumers);
  const Settings settings{.capacity = options.capacity};
  std::vector<Series> load;
  for (const std::string& name : options.contenders) {
    load.push_back(
        {.contender = name, .producers = producers, .consumers = consumers, .rounds = {}});
  }
  for (int round = 0; round < options.rounds; ++round) {
    for (std::size_t turn = 0; turn < load.size(); ++turn) {
      Series& series = load[(turn + static_cast<std::size_t>(round)) % load.size()];
      const auto contender = make_contender(series.contender, settings);
      series.rounds.push_back(run_race(*contender, race));
    }
  }
  return load;
}

int compare(const Options& options, const std::string& command) {
  Setting setting = describe_machine();
  setting.command = command;
  setting.capacity = options.capacity;
  setting.seconds = options.seconds;
  setting.rounds = options.rounds;
  setting.batch_count = options.batch_count;
  setting.pinning =
      options.pinning + ": " +
      describe_pinning(race_options(options, options.producers.back(), options.consumers.back()));

  std::vector<Series> all;
  for (const int consumers : options.consumers) {
    for (const int producers : options.producers) {
      for (Series& series : run_load(options, producers, consumers)) {
        all.push_back(std::move(series));
      }
    }
  }
  if (!options.records.empty()) {
    fmt::print("{}\n", to_records(options.records, options.batch_count, all).dump());
  } else if (options.json) {
    fmt::print("{}\n", to_json(setting, all).dump(2));
  } else {
    print_table(setting, all);
  }
  return std::all_of(all.begin(), all.end(), [](const Series& series) { return series.balanced(); })
             ? 0
             : 1;
}

int unlocked(const Options& options) {
  nlohmann::json json;
  const bool shown = demonstrate_unlocked(options.producers.back(), options.seconds,
                                          options.json ? &json : nullptr);
  if (options.json) fmt::print("{}\n", json.dump(2));
  return shown ? 0 : 1;
}

}  // namespace
}  // namespace evring::compare

int main(int argc, char** argv) {
  using namespace evring::compare;
  CLI::App app{"The event ring beside a mutex list and a kfifo, under the same load"};
  Options options;
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    const std::vector<std::string> words(argv, argv + argc);
    return options.unlocked ? unlocked(options)
                            : compare(options, fmt::format("{}", fmt::join(words, " ")));
  } catch (const std::exception& error) {
    fmt::print(stderr, "evring_guest_compare: {}\n", error.what());
    return 1;
  }
}
