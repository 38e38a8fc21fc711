// SPDX-License-Identifier: MIT
// evring_rig: runs one case and prints its record; `list` names loops and contenders, for
// people or as JSON. Exit codes: 0 fine, 1 error or a run that was not exact, 2 usage.
#include <bench/comparison/cases.hpp>
#include <bench/measure/machine.hpp>
#include <bench/measure/registry.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

namespace evring::bench {
namespace {

using nlohmann::json;

int list_for_people() {
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

json loops_of(const Contender& contender) {
  json loops = json::array();
  if (contender.throughput != nullptr) loops.push_back("throughput");
  if (contender.same_thread != nullptr) loops.push_back("same-thread");
  if (contender.same_thread != nullptr) loops.push_back("instructions");
  if (contender.ping_pong != nullptr) loops.push_back("ping-pong");
  if (contender.latency != nullptr) loops.push_back("latency");
  return loops;
}

json machine_json() {
  const Machine machine = describe_machine();
  const Placement placement;
  return {{"cpu", machine.cpu},
          {"caches", machine.caches},
          {"kernel", machine.kernel},
          {"governor", machine.governor},
          {"compiler", machine.compiler},
          {"pinning", describe_placement({.fifo = true})},
          {"vector_stores", vector_store_name()},
          {"cpu_count", placement.cpus.size()},
          {"allowed_cpus", placement.cpus}};
}

int list_as_json() {
  json list = {{"contenders", json::array()},
               {"loops", json::array()},
               {"missing", json::array()},
               {"machine", machine_json()}};
  for (const Contender& each : all_contenders()) {
    list["contenders"].push_back({{"name", each.name},
                                  {"what", each.what},
                                  {"origin", origin_name(each.origin)},
                                  {"delivery", delivery_name(each.delivery)},
                                  {"payload_bytes", each.payload_bytes},
                                  {"two_threads", each.two_threads},
                                  {"loops", loops_of(each)}});
  }
  for (const Loop& each : all_loops()) {
    list["loops"].push_back({{"name", each.name}, {"what", each.what}});
  }
  for (const MissingPeer& peer : missing_peers()) {
    list["missing"].push_back({{"name", peer.name}, {"package", peer.package}});
  }
  fmt::print("{}\n", list.dump(1));
  return 0;
}

int one(const Case& options) {
  json record;
  try {
    record = run_case(options);
  } catch (const std::exception& error) {
    record = {{"failed", error.what()}, {"exact", false}};
  }
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
  command.add_option("--slots", options.slot_count, "a power of two");
  command.add_option("--rate", options.rate_hz, "latency: events a second");
  command.add_option("--duration-ms", options.duration_ms);
  command.add_option("--events", options.event_count, "instead of a duration");
  command.add_flag("--no-fifo", no_fifo, "stay in SCHED_OTHER");
}

int run(int argc, char** argv) {
  CLI::App app("Runs one contender through one loop and prints what came of it.");
  app.require_subcommand(1);
  CLI::App* list_command = app.add_subcommand("list", "name loops and contenders");
  CLI::App* one_command = app.add_subcommand("one", "run one case, print its record");
  bool as_json = false;
  list_command->add_flag("--json", as_json, "for programs, with the machine");
  Case case_options;
  bool no_fifo = false;
  add_case_options(*one_command, case_options, no_fifo);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  case_options.fifo = !no_fifo;
  if (*one_command) return one(case_options);
  return as_json ? list_as_json() : list_for_people();
}

}  // namespace
}  // namespace evring::bench

int main(int argc, char** argv) {
  try {
    return evring::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "evring_rig: {}\n", error.what());
    return 1;
  }
}
