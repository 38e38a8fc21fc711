// SPDX-License-Identifier: MIT
// evring_rig, and evring_guest_rig with the drivers of a guest: `one` runs one case and prints
// its record; `list` names loops and contenders.
// Exit codes: 0 fine, 1 error or a run that was not exact, 2 usage.
#include <bench/rig/case.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

namespace evring::bench {
namespace {

int one(const Case& options, const std::string& id) {
  Record record;
  try {
    record = run_case(options);
  } catch (const std::exception& error) {
    record = {{"failed", error.what()}, {"exact", false}};
  }
  if (!id.empty()) record["id"] = id;
  fmt::print("{}\n", record.dump());
  return record["exact"].get<bool>() ? 0 : 1;
}

void add_case_options(CLI::App& command, Case& options, bool& no_fifo) {
  command.add_option("--loop", options.loop, "throughput, same-thread, ping-pong, latency, …");
  command.add_option("--contender", options.contender, "a name from `list`");
  command.add_option("--variant", options.variant, "what the loop tells apart besides");
  command.add_option("--payload", options.payload_bytes, "bytes, as in `list`");
  command.add_option("--burst", options.burst_count)->check(CLI::Range(1, 256));
  command.add_option("--consumers", options.consumer_count)->check(CLI::Range(1, 63));
  command.add_option("--producers", options.producer_count)->check(CLI::Range(1, 64));
  command.add_option("--slots", options.slot_count, "a power of two");
  command.add_option("--rings", options.ring_count, "many-rings: the busy one included")
      ->check(CLI::Range(1, 4096));
  command.add_option("--rate", options.rate_hz, "of a paced producer, events a second");
  command.add_option("--duration-ms", options.duration_ms);
  command.add_option("--events", options.event_count, "instead of a duration");
  command.add_option("--cpus", options.cpus, "of the producer, then of the others")->delimiter(',');
  command.add_flag("--hugepages", options.huge_pages, "for evring's rings");
  command.add_flag("--no-fifo", no_fifo, "stay in SCHED_OTHER");
}

int run(int argc, char** argv) {
  CLI::App app("Runs one contender through one loop and prints what came of it.");
  app.require_subcommand(1);
  app.add_subcommand("list", "name loops and contenders");
  CLI::App* one_command = app.add_subcommand("one", "run one case, print its record");
  Case case_options;
  bool no_fifo = false;
  std::string id;
  add_case_options(*one_command, case_options, no_fifo);
  one_command->add_option("--id", id, "to stand in the record");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  case_options.fifo = !no_fifo;
  if (*one_command) return one(case_options, id);
  fmt::print("{}\n", listing().dump(1));
  return 0;
}

}  // namespace
}  // namespace evring::bench

int main(int argc, char** argv) {
  try {
    return evring::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}
