// SPDX-License-Identifier: MIT
// The program `evring-stress`, or `evring stress`: its command line. Rings and producers
// are in local.cpp and kernel.cpp; consumers, each on a poller, in run.cpp.
#include "stress/report.hpp"

#include <fmt/format.h>

#include <map>
#include <random>

#include "stress/payload.hpp"

namespace evring::stress {
namespace {

struct Asked {
  StressOptions options;
  std::string device = "local";
  std::string cpus;
};

template <class Value>
void add_choice(CLI::App* sub, const std::string& name, Value& value,
                std::map<std::string, Value> choices, const std::string& what) {
  sub->add_option(name, value, what)
      ->type_name("WORD")
      ->transform(CLI::CheckedTransformer(std::move(choices)).description(""));
}

void add_load_options(CLI::App* sub, Asked& asked) {
  StressOptions& o = asked.options;
  sub->add_option("--producers", o.producer_count, "Producers, over all rings")
      ->transform(whole_number(1, 1024))
      ->capture_default_str();
  sub->add_option("--consumers", o.consumer_count, "Consumers of each ring")
      ->transform(whole_number(1, 1024))
      ->capture_default_str();
  sub->add_option("--rings", o.ring_count, "Rings")
      ->transform(whole_number(1, EVRING_DEVICE_COUNT_MAX))
      ->capture_default_str();
  sub->add_option("--seconds", o.seconds, "How long the producers run")
      ->transform(duration(std::chrono::milliseconds(10), std::chrono::hours(24)))
      ->capture_default_str();
  sub->add_option("--device", asked.device, "local (rings of this process) or kernel")
      ->check(CLI::IsMember({"local", "kernel"}).description(""))
      ->capture_default_str();
  sub->add_flag("--churn", o.churn, "Consumers join late and leave early");
  sub->add_option("--seed", o.asked_seed, "Seed of everything random; printed, so a run repeats")
      ->transform(whole_number(0, UINT64_MAX));
  sub->add_option("--cpus", asked.cpus, "Pin threads to these in turn: 0-3,5, core:1, numa:0");
  sub->add_flag("--when-full-drop", o.gated_drops,
                "Local gated producers drop instead of waiting (kernel ones always do)");
}

void add_manner_options(CLI::App* sub, Asked& asked) {
  StressOptions& o = asked.options;
  sub->add_option("--burst", o.burst_count, "Events that a consumer reads at once, at most")
      ->transform(whole_number(1, 4096))
      ->capture_default_str();
  sub->add_option("--batch", o.batch_count, "Events that a producer publishes at once, at most")
      ->transform(whole_number(1, EVRING_BATCH_COUNT_MAX))
      ->capture_default_str();
  add_choice<WaitStrategy>(
      sub, "--strategy", o.strategy,
      {{"busy-spin", WaitStrategy::kBusySpin},
       {"yield", WaitStrategy::kYield},
       {"adaptive", WaitStrategy::kAdaptive},
       {"park", WaitStrategy::kPark}},
      "What an idle consumer does: busy-spin, yield, adaptive (default), park");
  add_choice<Rung>(sub, "--rung", o.best_rung,
                   {{"command", Rung::kUringCommand},
                    {"poll", Rung::kUringPoll},
                    {"epoll", Rung::kEpoll},
                    {"spin", Rung::kSpin}},
                   "Best way to sleep: command (default), poll, epoll, spin");
  add_choice<ReadWay>(
      sub, "--read", o.read_way,
      {{"burst", ReadWay::kBurst}, {"one", ReadWay::kOne}, {"mixed", ReadWay::kMixed}},
      "How consumers read: burst (default), one, mixed (some so, some so)");
  add_choice<PublishWay>(
      sub, "--publish", o.publish_way,
      {{"batch", PublishWay::kBatch}, {"one", PublishWay::kOne}, {"reserve", PublishWay::kReserve}},
      "How local producers publish: batch (default), one, reserve");
  add_choice<Fault>(sub, "--fault", o.fault,
                    {{"corrupt", Fault::kCorrupt},
                     {"skip", Fault::kSkip},
                     {"reorder", Fault::kReorder},
                     {"miscount", Fault::kMiscount},
                     {"forget", Fault::kForget}},
                    "Make something go wrong");
  sub->get_option("--fault")->group("");  // for tests: hidden
}

void check_limits(const StressOptions& o) {
  if (o.kernel) {
    o.shape.check_device();
  } else {
    o.shape.check();
  }
  if (o.shape.slot.payload_bytes() < kStressWordsMin * 8) {
    throw usage_error(
        "--slot-bytes",
        fmt::format("a payload of {} bytes has no room for producer, count and checksum",
                    o.shape.slot.payload_bytes()),
        "take larger slots, or --format bare or packed");
  }
  if (o.shape.mode == Mode::kGated && o.consumer_count >= EVRING_CONSUMER_COUNT_MAX) {
    throw usage_error("--consumers",
                      fmt::format("a gated ring registers at most {}", EVRING_CONSUMER_COUNT_MAX),
                      "ask for fewer");
  }
}

void settle(Asked& asked) {
  StressOptions& o = asked.options;
  o.kernel = asked.device == "kernel";
  check_limits(o);
  if (!asked.cpus.empty()) o.cpus = cpus_of("--cpus", asked.cpus);
  std::random_device entropy;
  o.seed = o.asked_seed.value_or((std::uint64_t{entropy()} << 16) ^ entropy());
}

int run_stress_command(Asked& asked) {
  settle(asked);
  const StressOptions& options = asked.options;
  stop::watch_signals();
  const StressReport report = options.kernel ? stress_kernel(options) : stress_local(options);
  const std::vector<std::string> imbalance = find_imbalance(options, report);
  const bool is_loss = options.fail_on_loss && total_lost(report) != 0;
  const int code = !imbalance.empty() ? kError : is_loss ? kLoss : kFine;
  tool::report(code, [&] {
    if (options.json) {
      print_json(stress_json(report, imbalance));
    } else {
      print_stress(options, report, imbalance);
    }
  });
  if (!imbalance.empty()) {
    warn(fmt::format("stress: not balanced: {}; '--seed {}' repeats the load", imbalance.front(),
                     report.seed));
  }
  return code;
}

void describe(Program& program) {
  static Asked asked;
  CLI::App& app = program.app;
  app.name("evring stress");
  app.description("Load rings with verified events; check that all add up");
  app.set_version_flag("--version", "evring " EVRING_VERSION);
  app.set_help_flag("--help,-h", "Print this and exit");
  program.run = [] { return run_stress_command(asked); };
  add_load_options(&app, asked);
  add_shape_options(&app, asked.options.shape);
  add_huge_pages_option(&app, asked.options.shape.huge_pages);
  add_manner_options(&app, asked);
  app.add_flag("--json", asked.options.json, "Print JSON");
  app.add_flag("--fail-on-loss", asked.options.fail_on_loss, "Exit 3 when a consumer lost events");
  app.add_flag("--skip-if-absent", asked.options.skip_if_absent,
               "Exit 4 when --device kernel is asked for and the module is not loaded");
}

}  // namespace
}  // namespace evring::stress

int main(int argc, char** argv) {
  return evring::tool::run_program(argc, argv, evring::stress::describe);
}
