// SPDX-License-Identifier: MIT
// Live counters of a consumer that other processes can read: one small file per
// consumer in the runtime folder, locked by its owner, so `evring stat` shows lag
// and loss by consumer. Lag and loss are known to the consumer alone.
#pragma once

#include <cstdint>
#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/runtime_dir.hpp>
#include <optional>
#include <string>
#include <vector>

namespace evring::cli {

/// What one consumer shows of itself.
struct ConsumerEntry {
  std::string ring;  ///< `NAME` or `local:NAME`
  std::string who;   ///< the command
  std::uint64_t pid = 0;
  Balance balance;
  std::uint64_t doorbells = 0;
};

/// This consumer's entry; gone with this object, or with the process. One thread.
/// Showing it is a courtesy: where no file can be made, nothing is shown.
class ConsumerPost {
 public:
  ConsumerPost(const std::string& ring, const std::string& who);
  ~ConsumerPost();
  ConsumerPost(const ConsumerPost&) = delete;
  ConsumerPost& operator=(const ConsumerPost&) = delete;

  void update(const Balance& balance, std::uint64_t doorbells) noexcept;

 private:
  std::optional<RuntimeDir> folder_;
  std::string name_;
  FileDescriptor file_;
  std::uint64_t* words_ = nullptr;
};

/// All consumers that show themselves to this user and are alive; removes what dead
/// ones left behind, and nothing else.
/// @throws RuntimeDirRefused.
std::vector<ConsumerEntry> read_consumer_board();

}  // namespace evring::cli
