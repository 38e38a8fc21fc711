// SPDX-License-Identifier: MIT
// evringd as a user runs it: mistakes in its file, signals, balances, exit codes.
#include "running_daemon.hpp"

#include <evring/poller/board.hpp>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

namespace evring {
namespace {

struct Mistake {
  const char* name;
  std::string toml;
  int line;
  const char* key;
};

class MistakeTest : public testing::TestWithParam<Mistake> {};

const std::string kGood = "[[consumer]]\nname = \"a\"\nring = \"local:a\"\n";

INSTANTIATE_TEST_SUITE_P(
    Toml, MistakeTest,
    testing::Values(
        Mistake{"NotToml", "[[consumer\nname = 1\n", 1, "not TOML"},
        Mistake{"NoConsumer", "[daemon]\nreport_s = 1\n", 1, "consumer"},
        Mistake{"Empty", "", 1, "no [[consumer]]"},
        Mistake{"FileTwice",
                kGood + "output = \"jsonl:/tmp/x\"\n[[consumer]]\nname = \"b\"\nring = "
                        "\"local:b\"\noutput = \"jsonl:/tmp/./x\"\n",
                8, "consumer.output"},
        Mistake{"NoName", "\n[[consumer]]\nring = \"local:a\"\n", 2, "consumer.name"},
        Mistake{"NoRing", "[[consumer]]\nname = \"a\"\n", 1, "consumer.ring"},
        Mistake{"NameIsNumber", "[[consumer]]\nname = 3\nring = \"local:a\"\n", 2, "consumer.name"},
        Mistake{"BadName", "[[consumer]]\nname = \"a b\"\nring = \"local:a\"\n", 2,
                "consumer.name"},
        Mistake{"RingElsewhere", "[[consumer]]\nname = \"a\"\nring = \"local:../x\"\n", 3,
                "consumer.ring"},
        Mistake{"RingIsControl", "[[consumer]]\nname = \"a\"\nring = \"control\"\n", 3,
                "consumer.ring"},
        Mistake{"UnknownKey", kGood + "colour = 1\n", 4, "consumer.colour"},
        Mistake{"UnknownTable", "[demon]\n" + kGood, 1, "demon"},
        Mistake{"BadStrategy", kGood + "strategy = \"sleep\"\n", 4, "consumer.strategy"},
        Mistake{"SpinTooLong", kGood + "spin_us = -1\n", 4, "consumer.spin_us"},
        Mistake{"WakeEventsZero", kGood + "wake_events = 0\n", 4, "consumer.wake_events"},
        Mistake{"SpinIsNoNumber", kGood + "spin_us = nan\n", 4, "consumer.spin_us"},
        Mistake{"ReportIsEndless", "[daemon]\nreport_s = inf\n" + kGood, 2, "daemon.report_s"},
        Mistake{"DrainTooLong", "[daemon]\ndrain_s = 3601\n" + kGood, 2, "daemon.drain_s"},
        Mistake{"QueueTooSmall", kGood + "queue_kib = 0\n", 4, "consumer.queue_kib"},
        Mistake{"BurstIsText", kGood + "burst = \"8\"\n", 4, "consumer.burst"},
        Mistake{"BadStart", kGood + "start = \"last\"\n", 4, "consumer.start"},
        Mistake{"BadResync", kGood + "resync = \"x\"\n", 4, "consumer.resync"},
        Mistake{"BadOutput", kGood + "output = \"xml\"\n", 4, "consumer.output"},
        Mistake{"CpuNotThere", kGood + "cpu = 60000\n", 4, "allowed set"},
        Mistake{"CpuIsNone", kGood + "cpu = \"x\"\n", 4, "consumer.cpu"},
        Mistake{"JsonIsText", "[daemon]\njson = \"yes\"\n" + kGood, 2, "daemon.json"},
        Mistake{"NameTwice", kGood + "[[consumer]]\nname = \"a\"\nring = \"local:b\"\n", 5,
                "used twice"}),
    [](const auto& each) { return each.param.name; });

TEST_P(MistakeTest, IsNamedWithFileLineKeyAndRemedy) {
  const TemporaryFile config(GetParam().toml);
  Process process({EVRINGD_PATH, "--check", config.path()});
  EXPECT_EQ(process.wait(), 2);
  const std::string errors = process.errors();
  EXPECT_TRUE(contains(errors, config.path() + ":" + std::to_string(GetParam().line) + ":"))
      << errors;
  EXPECT_TRUE(contains(errors, GetParam().key)) << errors;
  EXPECT_TRUE(contains(errors, ";")) << "no remedy: " << errors;
  EXPECT_EQ(process.output(), "");
}

TEST(DaemonTest, NamesEveryMistakeInOneGo) {
  const TemporaryFile config("[[consumer]]\nname = \"a\"\nburst = 0\nstart = \"x\"\n");
  Process process({EVRINGD_PATH, "--check", config.path()});
  EXPECT_EQ(process.wait(), 2);
  for (const char* key : {"consumer.ring", "consumer.burst", "consumer.start"}) {
    EXPECT_TRUE(contains(process.errors(), key)) << key;
  }
}

TEST(DaemonTest, ChecksAFileWithoutTheRing) {
  const TemporaryFile config(kGood);
  Process process({EVRINGD_PATH, "--check", config.path()});
  EXPECT_EQ(process.wait(), 0) << process.errors();
  EXPECT_TRUE(contains(process.output(), "1 consumer"));
}

TEST(DaemonTest, TheSampleIsFine) {
  Process process({EVRINGD_PATH, "--check", EVRINGD_SAMPLE});
  EXPECT_EQ(process.wait(), 0) << process.errors();
}

TEST(DaemonTest, UsageIsTwo) {
  Process none({EVRINGD_PATH});
  EXPECT_EQ(none.wait(), 2);
  Process unknown({EVRINGD_PATH, "--colour", "x"});
  EXPECT_EQ(unknown.wait(), 2);
  Process missing({EVRINGD_PATH, "/nowhere/evringd.toml"});
  EXPECT_EQ(missing.wait(), 2);
  EXPECT_TRUE(contains(missing.errors(), "/nowhere/evringd.toml")) << missing.errors();
  Process help({EVRINGD_PATH, "--help"});
  EXPECT_EQ(help.wait(), 0);
}

TEST_F(RunningDaemonTest, SigtermDrainsAndPrintsTheBalance) {
  start("output = \"count\"\nstrategy = \"park\"\n");
  publish(101);
  const nlohmann::json consumer = stop(SIGTERM, 0);
  EXPECT_EQ(consumer["received"], 101);
  EXPECT_EQ(consumer["lost"], 0);
  EXPECT_EQ(consumer["by_type"]["0"], 51);
  EXPECT_EQ(consumer["by_type"]["1"], 50);
}

// Types come from whoever publishes: each had a line of every report, without end.
TEST_F(RunningDaemonTest, CountsNoMoreTypesThanItCanShow) {
  start("output = \"count\"\n");
  Event event{};
  for (unsigned type = 0; type < 2000; ++type) {
    event.type = type;
    producer_->publish(event);
    if (type % 100 == 99) {
      ASSERT_TRUE(eventually([&] { return now()["received"] == type + 1; }));
    }
  }
  const nlohmann::json consumer = stop(SIGTERM, 0);
  EXPECT_EQ(consumer["by_type"].size(), 1025u);
  EXPECT_EQ(consumer["by_type"]["other"], 2000 - 1024);
  EXPECT_EQ(consumer["output"]["delivered"], 2000);
}

TEST_F(RunningDaemonTest, SigintDoesToo) {
  start("cpu = \"core:0\"\nstrategy = \"adaptive\"\nburst = 7\n");
  publish(50);
  EXPECT_EQ(stop(SIGINT, 0)["received"], 50);
}

TEST_F(RunningDaemonTest, WritesEachEventAsALine) {
  const TemporaryFile out("");
  start("start = \"oldest\"\noutput = \"jsonl:" + out.path() + "\"\n");
  publish(20);
  stop(SIGTERM, 0);
  std::ifstream file(out.path());
  std::uint64_t sequence = 0;
  for (std::string line; std::getline(file, line); ++sequence) {
    const nlohmann::json event = nlohmann::json::parse(line);
    EXPECT_EQ(event["sequence"], sequence);
    EXPECT_EQ(event["type"], sequence % 2);
    EXPECT_EQ(event["payload"].get<std::string>().size(), 16u);
  }
  EXPECT_EQ(sequence, 20u);
}

TEST_F(RunningDaemonTest, LossIsThreeUnderFailOnLoss) {
  publish(1000);  // the ring holds 256
  start("start = 0\n", {"--json", "--fail-on-loss"});
  const nlohmann::json consumer = stop(SIGTERM, 3);
  EXPECT_EQ(consumer["received"].get<int>() + consumer["lost"].get<int>(), 1000);
  EXPECT_GE(consumer["lost"].get<int>(), 744);
}

TEST_F(RunningDaemonTest, ComesBackToARingWhoseOwnerStartedAnew) {
  start("strategy = \"park\"\n");
  publish(10);
  close_ring();
  ASSERT_TRUE(eventually([&] { return contains(daemon_->errors(), "is gone"); }));
  open_ring(256);
  publish(5);
  ASSERT_TRUE(eventually([&] {
    const std::string errors = daemon_->errors();
    const auto first = errors.find("generation");
    return errors.find("generation", first + 1) != std::string::npos;
  })) << daemon_->errors();
  const nlohmann::json consumer = stop(SIGTERM, 0);
  EXPECT_EQ(consumer["received"], 15);
  EXPECT_EQ(consumer["generations"], 2);
}

TEST_F(RunningDaemonTest, ReportsOnRequest) {
  start("");
  publish(3);
  ASSERT_TRUE(eventually([&] {
    daemon_->send(SIGUSR1);
    return contains(daemon_->output(), "\"received\":3");
  })) << daemon_->output();
  stop(SIGTERM, 0);
}

// The table is drawn from what the poller's thread counts meanwhile; seen under ThreadSanitizer.
TEST_F(RunningDaemonTest, TheTableIsDrawnWhileEventsAreCounted) {
  start("output = \"count\"\nstrategy = \"yield\"\n", {});
  for (unsigned round = 0; round < 200; ++round) {
    publish(50);
    daemon_->send(SIGUSR1);
  }
  daemon_->send(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0) << daemon_->errors();
  EXPECT_TRUE(contains(daemon_->output(), "count: received ")) << daemon_->output();
  EXPECT_TRUE(contains(daemon_->output(), "type 1: ")) << daemon_->output();
}

/// As `evring stat` finds it.
std::optional<std::uint64_t> received_as_shown(const std::string& ring) {
  for (const ConsumerEntry& entry : read_consumer_board()) {
    if (entry.ring == ring) return entry.balance.received;
  }
  return std::nullopt;
}

TEST_F(RunningDaemonTest, ShowsItsConsumersToStat) {
  start("output = \"count\"\nstrategy = \"park\"\n");
  const std::string ring = "local:" + name_;
  EXPECT_TRUE(eventually([&] { return received_as_shown(ring) == 0; }));
  publish(7);
  EXPECT_TRUE(eventually([&] { return received_as_shown(ring) == 7; }));
  stop(SIGTERM, 0);
  EXPECT_FALSE(received_as_shown(ring)) << "it leaves nothing behind";
}

}  // namespace
}  // namespace evring
