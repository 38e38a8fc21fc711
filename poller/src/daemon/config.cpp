// SPDX-License-Identifier: MIT
#include "config.hpp"

#include "toml_reader.hpp"

#include <evring/poller/cpu_list.hpp>
#include <evring/poller/parse.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace evring::daemon {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kU16Max = std::numeric_limits<std::uint16_t>::max();
constexpr std::int64_t kU32Max = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kBurstMax = 4096;
constexpr std::int64_t kDayS = 86400;
constexpr std::int64_t kHourS = 3600;
constexpr std::int64_t kQueueKibMin = 8;
constexpr std::int64_t kQueueKibMax = std::int64_t{1} << 20;
constexpr std::int64_t kMinuteMs = 60000;

void read_cpu(TableReader& table, ConsumerConfig& consumer) {
  const auto text = table.text_or_number("cpu");
  if (!text) return;
  try {
    const std::vector<unsigned> cpus = parse_cpu_list(*text);
    check_allowed(cpus);
    consumer.cpu = static_cast<int>(cpus.front());
    if (cpus.size() > 1) table.refuse("cpu", "names several CPUs", "name one per consumer");
  } catch (const std::exception& error) {
    table.refuse("cpu", error.what(), "");
  }
}

void read_start(TableReader& table, LinkOptions& link) {
  if (!table.is_text("start")) {
    if (const auto sequence = table.number("start", 0, std::numeric_limits<std::int64_t>::max())) {
      link.start_at = StartAt::kSequence;
      link.sequence = static_cast<std::uint64_t>(*sequence);
    }
    return;
  }
  const auto text = table.text("start");
  if (text == "oldest") {
    link.start_at = StartAt::kOldest;
  } else if (text == "newest") {
    link.start_at = StartAt::kNewest;
  } else {
    table.refuse("start", "'" + *text + "' is none",
                 R"(write "oldest", "newest" or a sequence number)");
  }
}

void read_waiting(TableReader& table, PollerOptions& poller) {
  if (const auto text = table.text("strategy")) {
    const auto strategy = parse_wait_strategy(*text);
    if (strategy) {
      poller.strategy = *strategy;
    } else {
      table.refuse("strategy", "'" + *text + "' is none",
                   R"(write "busy-spin", "yield", "adaptive" or "park")");
    }
  }
  if (const auto us = table.number("spin_us", 0, kU32Max)) poller.spin = microseconds{*us};
  if (const auto count = table.number("wake_events", 1, kU16Max)) {
    poller.arm.wake_events = static_cast<std::uint16_t>(*count);
  }
  if (const auto us = table.number("wake_us", 0, kU32Max)) poller.arm.wake = microseconds{*us};
  if (const auto ms = table.number("max_idle_ms", 1, kU16Max)) {
    poller.arm.max_idle = milliseconds{*ms};
  }
  if (const auto count = table.number("burst", 1, kBurstMax)) {
    poller.burst_count = static_cast<std::size_t>(*count);
  }
  if (const auto text = table.text("resync")) {
    if (text == "oldest") {
      poller.resync = ResyncTo::kOldest;
    } else if (text == "newest") {
      poller.resync = ResyncTo::kNewest;
    } else {
      table.refuse("resync", "'" + *text + "' is none", R"(write "oldest" or "newest")");
    }
  }
}

constexpr std::string_view kJsonl = "jsonl:";

void read_output(TableReader& table, ConsumerConfig& consumer) {
  if (const auto kib = table.number("queue_kib", kQueueKibMin, kQueueKibMax)) {
    consumer.queue_bytes = static_cast<std::size_t>(*kib) << 10;
  }
  if (const auto ms = table.number("flush_ms", 0, kMinuteMs)) consumer.flush = milliseconds{*ms};
  const auto text = table.text("output");
  if (!text || text == "none") return;
  if (text == "count") {
    consumer.output = OutputKind::kCount;
  } else if (text->starts_with(kJsonl) && text->size() > kJsonl.size()) {
    consumer.output = OutputKind::kJsonl;
    consumer.output_path = text->substr(kJsonl.size());
  } else {
    table.refuse("output", "'" + *text + "' is none", R"(write "none", "count" or "jsonl:PATH")");
  }
}

/// A key that must be there, by one of the rules of parse.hpp. What that refuses is noted.
template <class Rule>
std::string read_required(TableReader& table, std::string_view key, Rule rule) {
  const auto text = table.required_text(key);
  if (!text) return "";
  try {
    return rule(*text);
  } catch (const std::invalid_argument& error) {
    table.refuse(key, error.what(), "");
    return *text;
  }
}

ConsumerConfig read_consumer(TableReader& table) {
  ConsumerConfig consumer;
  consumer.name = read_required(table, "name", parse_name);
  consumer.ring =
      read_required(table, "ring", [](const std::string& text) { return parse_ring(text).text(); });
  read_cpu(table, consumer);
  read_start(table, consumer.link);
  read_waiting(table, consumer.poller);
  read_output(table, consumer);
  table.refuse_unread();
  return consumer;
}

/// Two that append to one file would take back each other's lines on a full disk.
void refuse_file_of_another(TableReader& table, const Config& config,
                            const ConsumerConfig& consumer) {
  if (consumer.output != OutputKind::kJsonl) return;
  const auto whole = [](const ConsumerConfig& of) {
    std::error_code error;
    const auto path = std::filesystem::weakly_canonical(of.output_path, error);
    return error ? std::filesystem::path(of.output_path) : path;
  };
  for (const ConsumerConfig& other : config.consumers) {
    if (other.output != OutputKind::kJsonl || whole(other) != whole(consumer)) continue;
    return table.refuse("output", "'" + other.name + "' writes that file", "give each its own");
  }
}

void read_daemon(TableReader& table, Config& config) {
  if (const auto s = table.number("report_s", 0, kDayS)) config.report = seconds{*s};
  if (const auto s = table.number("drain_s", 0, kHourS)) config.drain = seconds{*s};
  if (const auto s = table.number("await_s", 0, kDayS)) config.await = seconds{*s};
  if (const auto value = table.boolean("json")) config.json = *value;
  if (const auto value = table.boolean("fail_on_loss")) config.fail_on_loss = *value;
  table.refuse_unread();
}

}  // namespace

std::string output_name(const ConsumerConfig& config) {
  if (config.output == OutputKind::kJsonl) return std::string(kJsonl) + config.output_path;
  return config.output == OutputKind::kCount ? "count" : "none";
}

Config read_config(const std::string& path) {
  TomlFile file(path);
  Config config;
  if (auto table = file.table("daemon")) read_daemon(*table, config);
  for (TableReader& table : file.tables("consumer")) {
    ConsumerConfig consumer = read_consumer(table);
    const bool taken =
        std::any_of(config.consumers.begin(), config.consumers.end(),
                    [&](const ConsumerConfig& other) { return other.name == consumer.name; });
    if (taken && !consumer.name.empty()) {
      table.refuse("name", "'" + consumer.name + "' is used twice", "give each consumer its own");
    }
    refuse_file_of_another(table, config, consumer);
    config.consumers.push_back(std::move(consumer));
  }
  file.refuse_unread();
  if (config.consumers.empty()) {
    file.refuse_file("no [[consumer]]", "add one with name and ring; see evringd.toml(5)");
  }
  file.throw_if_refused();
  return config;
}

}  // namespace evring::daemon
