// SPDX-License-Identifier: MIT
// The program `evring-stress`, or `evring stress`: its command line. Rings and producers
// are in local.cpp and kernel.cpp; consumers, each on a poller, in run.cpp.
#include "stress/report.hpp"

#include <fmt/format.h>

#include <random>

#include "stress/payload.hpp"

namespace evring::stress {
namespace {

struct Asked {
  StressOptions options;
  std::string cpus;
};

void add_load_options(Options& options, Asked& asked) {
  StressOptions& o = asked.options;
  options.number("--producers", o.producer_count, 1, 1024, "Producers, over all rings");
  options.number("--consumers", o.consumer_count, 1, 1024, "Consumers of each ring");
  options.number("--rings", o.ring_count, 1, EVRING_DEVICE_COUNT_MAX, "Rings");
  options.seconds("--seconds", o.seconds, std::chrono::milliseconds(10), std::chrono::hours(24),
                  "How long the producers run");
  options.choice("--device", o.kernel, {{"local", false}, {"kernel", true}},
                 "local (rings of this process; default) or kernel");
  options.flag("--churn", o.churn, "Consumers join late and leave early");
  options.number("--seed", o.asked_seed, 0, UINT64_MAX,
                 "Seed of everything random; printed, so a run repeats");
  options.text("--cpus", asked.cpus, "Pin threads to these in turn: 0-3,5, core:1, numa:0");
  options.flag("--when-full-drop", o.gated_drops,
               "Local gated producers drop instead of waiting (kernel ones always do)");
}

void add_manner_options(Options& options, Asked& asked) {
  StressOptions& o = asked.options;
  options.number("--burst", o.burst_count, 1, 4096,
                 "Events that a consumer reads at once, at most");
  options.number("--batch", o.batch_count, 1, EVRING_BATCH_COUNT_MAX,
                 "Events that a producer publishes at once, at most");
  options.choice("--strategy", o.strategy,
                 {{"busy-spin", WaitStrategy::kBusySpin},
                  {"yield", WaitStrategy::kYield},
                  {"adaptive", WaitStrategy::kAdaptive},
                  {"park", WaitStrategy::kPark}},
                 "What an idle consumer does: busy-spin, yield, adaptive (default), park");
  options.choice("--rung", o.best_rung,
                 {{"command", Rung::kUringCommand},
                  {"poll", Rung::kUringPoll},
                  {"epoll", Rung::kEpoll},
                  {"spin", Rung::kSpin}},
                 "Best way to sleep: command (default), poll, epoll, spin");
  options.choice("--read", o.read_way,
                 {{"burst", ReadWay::kBurst}, {"one", ReadWay::kOne}, {"mixed", ReadWay::kMixed}},
                 "How consumers read: burst (default), one, mixed (some so, some so)");
  options.choice(
      "--publish", o.publish_way,
      {{"batch", PublishWay::kBatch}, {"one", PublishWay::kOne}, {"reserve", PublishWay::kReserve}},
      "How local producers publish: batch (default), one, reserve");
  options.choice("--fault", o.fault,
                 {{"corrupt", Fault::kCorrupt},
                  {"skip", Fault::kSkip},
                  {"reorder", Fault::kReorder},
                  {"miscount", Fault::kMiscount},
                  {"forget", Fault::kForget}},
                 "Make something go wrong");
  options.hide("--fault");  // for tests
}

void check_limits(const StressOptions& o) {
  o.shape.check(o.kernel ? RingKind::kDevice : RingKind::kLocal);
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
  Options options =
      program.describe("evring stress", "Load rings with verified events; check that all add up",
                       [] { return run_stress_command(asked); });
  add_load_options(options, asked);
  add_shape_options(options, asked.options.shape);
  add_huge_pages_option(options, asked.options.shape.huge_pages);
  add_manner_options(options, asked);
  options.flag("--json", asked.options.json, "Print JSON");
  options.flag("--fail-on-loss", asked.options.fail_on_loss, "Exit 3 when a consumer lost events");
  options.flag("--skip-if-absent", asked.options.skip_if_absent,
               "Exit 4 when --device kernel is asked for and the module is not loaded");
}

}  // namespace
}  // namespace evring::stress

int main(int argc, char** argv) {
  return evring::tool::run_program(argc, argv, evring::stress::describe);
}
