// SPDX-License-Identifier: MIT
// evring_guest_publish: what an event costs its producer, in bursts, with a consumer that
// spins on another CPU: a local producer, the hard timer, and the edu device's MSI. Inside
// a guest with evring.ko and, for edu, evring_edu.ko with events_per_interrupt as --batch.
// Exit status: 0 nothing lost uncounted and no doorbell, 1 otherwise, 2 usage.
#include <evring/abi.h>
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "publish_source.hpp"

namespace evring::publish {
namespace {

struct Options {
  int rounds = 9;
  Load load;
  std::string records;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--rounds", options.rounds, "Each source in turn, so often")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seconds", options.load.seconds, "Of each source in each round")
      ->check(CLI::Range(0.01, 60.0))
      ->capture_default_str();
  app.add_option("--batch", options.load.batch_count, "Events published at once")
      ->check(CLI::Range(1, EVRING_BATCH_COUNT_MAX))
      ->capture_default_str();
  app.add_option("--rate", options.load.rate_hz, "Bursts a second")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--records", options.records,
                 "Print rounds as bench/compare takes them, their ids under this prefix");
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_line(const std::string& name, const std::vector<Round>& rounds) {
  std::vector<double> costs;
  std::vector<double> ratios;
  std::uint64_t doorbells = 0;
  for (const Round& round : rounds) {
    const Cost& cost = round.at(name);
    costs.push_back(cost.ns_per_event());
    ratios.push_back(cost.ns_per_event() / round.at(local_of(name)).ns_per_event());
    doorbells += cost.doorbells;
  }
  fmt::print("{:<12} {:>6.1f} ns an event, {:.2f} x local ({:.2f}-{:.2f}), {} doorbells\n", name,
             median(costs), median(ratios), *std::min_element(ratios.begin(), ratios.end()),
             *std::max_element(ratios.begin(), ratios.end()), doorbells);
}

/// An array of rounds, each {id: record}: PREFIX/publish/SOURCE with "value", ns an event.
nlohmann::json to_records(const std::string& prefix, const std::vector<Round>& rounds) {
  nlohmann::json array = nlohmann::json::array();
  for (const Round& round : rounds) {
    nlohmann::json records;
    for (const auto& [name, cost] : round) {
      const std::string id = fmt::format("{}/publish/{}", prefix, name);
      records[id] = {{"id", id},
                     {"value", cost.ns_per_event()},
                     {"unit", "ns"},
                     {"published", cost.published},
                     {"received", cost.received},
                     {"lost", cost.lost},
                     {"doorbells", cost.doorbells},
                     {"exact", cost.exact}};
    }
    array.push_back(records);
  }
  return array;
}

int run(const Options& options) {
  const std::vector<Source> sources = find_sources(options.load);
  std::vector<Round> rounds;
  bool fine = true;
  for (int i = 0; i < options.rounds; ++i) {
    Round round;
    for (std::size_t turn = 0; turn < sources.size(); ++turn) {
      const Source& source = sources[(turn + static_cast<std::size_t>(i)) % sources.size()];
      const Cost cost = source.measure(options.load);
      fine = fine && cost.exact && cost.doorbells == 0;
      round.emplace(source.name, cost);
    }
    rounds.push_back(round);
  }
  if (!options.records.empty()) {
    fmt::print("{}\n", to_records(options.records, rounds).dump());
  } else {
    for (const Source& source : sources) print_line(source.name, rounds);
  }
  return fine ? 0 : 1;
}

}  // namespace
}  // namespace evring::publish

int main(int argc, char** argv) {
  using namespace evring::publish;
  CLI::App app{"What publishing costs in interrupt, beside a local producer"};
  Options options;
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "evring_guest_publish: {}\n", error.what());
    return 1;
  }
}
