// SPDX-License-Identifier: MIT
// What evringd is asked to do, read from a TOML file and checked as a whole
// before anything starts.
#pragma once

#include <evring/poller/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace evring::daemon {

enum class OutputKind : std::uint8_t {
  kNone,   ///< read and forget
  kCount,  ///< count by type
  kJsonl,  ///< one JSON object per event and line, appended to a file
};

struct ConsumerConfig {
  std::string name;
  std::string ring;  ///< as RingLink::open() takes it
  int cpu = -1;      ///< -1: not pinned
  LinkOptions link;
  PollerOptions poller;
  OutputKind output = OutputKind::kNone;
  std::string output_path;
  std::size_t queue_bytes = std::size_t{8} << 20;  ///< between the poller and the output
  std::chrono::milliseconds flush{200};            ///< how long a line may wait to be written
};

/// "none", "count", "jsonl:PATH".
std::string output_name(const ConsumerConfig& config);

struct Config {
  std::chrono::seconds report{0};             ///< 0: only at the end
  std::chrono::seconds drain{5};              ///< at the end: how long outputs may still deliver
  std::optional<std::chrono::seconds> await;  ///< a ring that is not there; nothing: no bound
  bool json = false;
  bool fail_on_loss = false;
  std::vector<ConsumerConfig> consumers;
};

/// One line per mistake: `FILE:LINE: KEY: reason; remedy`.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// @throws ConfigError with every mistake found; all are found in one go, but for a
///         file that is not TOML at all.
Config read_config(const std::string& path);

}  // namespace evring::daemon
