// SPDX-License-Identifier: MIT
// evringd beside a ring of the test's own, and what tests of both ask.
#pragma once

#include "../eventually.hpp"
#include "process.hpp"

#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace evring {

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A ring with a name of its own, and a daemon that reads it.
class RunningDaemonTest : public testing::Test {
 protected:
  void SetUp() override { open_ring(256); }

  void open_ring(std::uint64_t slot_count) {
    LocalRingOptions options;
    options.name = name_;
    options.slot_count = slot_count;
    ring_ = LocalRing::named(options);
    producer_.emplace(*ring_);
  }
  void close_ring() {
    producer_.reset();
    ring_.reset();
  }
  void publish(unsigned count) {
    Event event{};
    for (unsigned i = 0; i < count; ++i) {
      event.type = i % 2;
      event.set(std::uint64_t{i});
      producer_->publish(event);
    }
  }
  /// A consumer of the ring, `more` in its table.
  std::string consumer(const std::string& who, const std::string& more) const {
    return "[[consumer]]\nname = \"" + who + "\"\nring = \"local:" + name_ + "\"\n" + more;
  }
  /// Starts the daemon with that file, and waits for nothing.
  void launch(const std::string& toml, std::vector<std::string> options = {"--json"},
              const std::function<void()>& prepare = {}) {
    config_.emplace(toml);
    options.insert(options.begin(), EVRINGD_PATH);
    options.push_back(config_->path());
    daemon_.emplace(options, prepare);
  }
  void start(const std::string& more, std::vector<std::string> options = {"--json"}) {
    launch(consumer("reader", more), std::move(options));
    await_readers(1);
  }
  /// Until so many consumers have said where they begin.
  void await_readers(std::size_t count) {
    ASSERT_TRUE(eventually([&] { return said("generation ") >= count; })) << daemon_->errors();
  }
  /// How many lines of the daemon have that. Reports in JSON tell of a failure each time.
  std::size_t said(const std::string& part) const {
    std::istringstream lines(daemon_->errors() + daemon_->output());
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('{') && contains(line, part)) ++count;
    }
    return count;
  }
  /// The first consumer, by a report of now.
  nlohmann::json now() {
    const std::size_t before = daemon_->output().size();
    daemon_->send(SIGUSR1);
    EXPECT_TRUE(eventually([&] {
      const std::string text = daemon_->output();
      return text.size() > before && text.back() == '\n';
    }));
    return last_report()["consumers"][0];
  }
  nlohmann::json last_report() const {
    std::string last;
    std::istringstream lines(daemon_->output());
    for (std::string line; std::getline(lines, line);) last = line;
    return nlohmann::json::parse(last);
  }
  /// Ends it, and takes its last report.
  nlohmann::json stop(int signal, int expected_status) {
    daemon_->send(signal);
    EXPECT_EQ(daemon_->wait(), expected_status) << daemon_->errors();
    const nlohmann::json report = last_report();
    EXPECT_TRUE(report["final"].get<bool>());
    EXPECT_TRUE(report["balanced"].get<bool>()) << report;
    return report["consumers"][0];
  }
  /// The account of an output, whose parts are checked to be the whole.
  static nlohmann::json account_of(const nlohmann::json& consumer) {
    const nlohmann::json output = consumer["output"];
    const auto count = [&](const char* key) { return output[key].get<std::uint64_t>(); };
    EXPECT_EQ(count("received"), count("delivered") + count("dropped") + count("pending"))
        << output;
    EXPECT_EQ(count("received"), consumer["received"].get<std::uint64_t>()) << output;
    return output;
  }

  const std::string name_ = "daemon-test-" + std::to_string(getpid());
  std::optional<LocalRing> ring_;
  std::optional<Producer> producer_;
  std::optional<TemporaryFile> config_;
  std::optional<Process> daemon_;
};

}  // namespace evring
