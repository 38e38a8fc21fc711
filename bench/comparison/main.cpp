// SPDX-License-Identifier: MIT
// evring_compare: all contenders side by side. `list` names them, `one` runs one case
// in this process and prints its record, `all` runs rounds of fresh processes and
// writes the report. Exit codes: 0 fine, 1 error, 2 usage.
#include "report.hpp"

#include <bench/measure/registry.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace evring::bench {
namespace {

struct AllOptions {
  bool quick = false;
  bool no_fifo = false;
  unsigned round_count = 0;
  std::uint64_t seed = 1;
  std::string json_path = "compare.json";
  std::string html_path = "compare.html";
  std::string only;
  std::vector<std::string> records;
};

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.flush();
  if (!file) throw std::runtime_error("cannot write " + path);
}

int list() {
  for (const Loop& each : all_loops()) fmt::print("{:<26} loop    {}\n", each.name, each.what);
  for (const Contender& each : all_contenders()) {
    fmt::print("{:<26} {:>3} B  {:<7} {}\n", each.name, each.payload_bytes,
               delivery_name(each.delivery), each.what);
  }
  for (const MissingPeer& peer : missing_peers()) {
    fmt::print("{:<26} not available: install {}\n", peer.name, peer.package);
  }
  return 0;
}

int one(const Case& options) {
  nlohmann::json record;
  try {
    record = run_case(options);
  } catch (const std::exception& error) {
    record = {{"id", options.id()}, {"failed", error.what()}, {"exact", false}};
  }
  fmt::print("{}\n", record.dump());
  return record["exact"].get<bool>() ? 0 : 1;
}

RoundOptions round_options(const AllOptions& options) {
  RoundOptions rounds{.round_count = options.quick ? 3u : 9u,
                      .seed = options.seed,
                      .program = std::filesystem::read_symlink("/proc/self/exe"),
                      .time_limit_s = options.quick ? 75.0 : 10 * 60.0,
                      .fifo = !options.no_fifo};
  if (options.round_count != 0) rounds.round_count = options.round_count;
  return rounds;
}

int all(const AllOptions& options) {
  Plan plan = make_plan(options.quick);
  if (!options.only.empty()) keep_only(plan, options.only);
  if (plan.empty()) throw std::invalid_argument("no case matches " + options.only);
  const auto begin = Clock::now();
  Rounds rounds = run_rounds(plan, round_options(options));
  for (const std::string& path : options.records) merge_rounds(rounds, path);
  std::vector<BarResult> bars;
  for (const BarPart& part : all_bars()) bars.push_back(hold(part, rounds));
  const nlohmann::json report = report_json(rounds, bars,
                                            {.placement = {.fifo = !options.no_fifo},
                                             .seed = options.seed,
                                             .only = options.only,
                                             .elapsed_s = seconds_between(begin, Clock::now())});
  fmt::print("{}", report_text(report));
  write_file(options.json_path, report.dump(1) + "\n");
  write_file(options.html_path, report_html(report));
  fmt::print("\nwrote {} and {}\n", options.json_path, options.html_path);
  return 0;
}

void add_case_options(CLI::App& command, Case& options, bool& no_fifo) {
  command.add_option("--loop", options.loop, "throughput, same-thread, ping-pong, latency, …");
  command.add_option("--contender", options.contender, "a name from `list`");
  command.add_option("--variant", options.variant, "what the loop tells apart besides");
  command.add_option("--payload", options.payload_bytes, "bytes, as in `list`");
  command.add_option("--burst", options.burst_count)->check(CLI::Range(1, 256));
  command.add_option("--consumers", options.consumer_count)->check(CLI::Range(1, 63));
  command.add_option("--slots", options.slot_count, "a power of two");
  command.add_option("--rate", options.rate_hz, "latency: events a second");
  command.add_option("--duration-ms", options.duration_ms);
  command.add_option("--events", options.event_count, "instead of a duration");
  command.add_flag("--no-fifo", no_fifo, "stay in SCHED_OTHER");
}

void add_all_options(CLI::App& command, AllOptions& options) {
  command.add_flag("--quick", options.quick, "fewer cases and rounds: two minutes");
  command.add_flag("--no-fifo", options.no_fifo, "stay in SCHED_OTHER");
  command.add_option("--rounds", options.round_count, "9, or 3 with --quick")->take_last();
  command.add_option("--seed", options.seed, "of the order of cases");
  command.add_option("--only", options.only,
                     "cases whose id contains this, or a group: broadcast, work sharing, …");
  command.add_option("--records", options.records,
                     "rounds measured elsewhere, to be held against the bars as well: a JSON "
                     "array of {id: record}");
  command.add_option("--json", options.json_path)->take_last();
  command.add_option("--html", options.html_path)->take_last();
}

int run(int argc, char** argv) {
  CLI::App app("Compares evring with its peers and with the machine's limits.");
  app.require_subcommand(1);
  CLI::App* list_command = app.add_subcommand("list", "name the contenders");
  CLI::App* one_command = app.add_subcommand("one", "run one case here, print its record");
  CLI::App* all_command = app.add_subcommand("all", "rounds of every case, and the report");
  Case case_options;
  bool no_fifo = false;
  AllOptions all_options;
  add_case_options(*one_command, case_options, no_fifo);
  add_all_options(*all_command, all_options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  case_options.fifo = !no_fifo;
  if (*list_command) return list();
  return *one_command ? one(case_options) : all(all_options);
}

}  // namespace
}  // namespace evring::bench

int main(int argc, char** argv) {
  try {
    return evring::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "evring_compare: {}\n", error.what());
    return 1;
  }
}
