// SPDX-License-Identifier: MIT
// evringd beside a ring of the test's own, and what tests of both ask.
#pragma once

#include "process.hpp"

#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace evring {

inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 20000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

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
  void start(const std::string& more, std::vector<std::string> options = {"--json"}) {
    config_.emplace("[[consumer]]\nname = \"reader\"\nring = \"local:" + name_ + "\"\n" + more);
    std::vector<std::string> words{EVRINGD_PATH};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(config_->path());
    daemon_.emplace(words);
    ASSERT_TRUE(eventually([&] {
      return contains(daemon_->errors() + daemon_->output(), "generation ");
    })) << daemon_->errors();
  }
  /// Ends it, and takes its last report.
  nlohmann::json stop(int signal, int expected_status) {
    daemon_->send(signal);
    EXPECT_EQ(daemon_->wait(), expected_status) << daemon_->errors();
    std::string last;
    std::istringstream lines(daemon_->output());
    for (std::string line; std::getline(lines, line);) last = line;
    const nlohmann::json report = nlohmann::json::parse(last);
    EXPECT_TRUE(report["final"].get<bool>());
    EXPECT_TRUE(report["balanced"].get<bool>()) << last;
    return report["consumers"][0];
  }

  const std::string name_ = "daemon-test-" + std::to_string(getpid());
  std::optional<LocalRing> ring_;
  std::optional<Producer> producer_;
  std::optional<TemporaryFile> config_;
  std::optional<Process> daemon_;
};

}  // namespace evring
