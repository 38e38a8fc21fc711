// SPDX-License-Identifier: MIT
// A pinned poller that reads every ring it is given, checks each event and keeps
// the account of each ring. The same code for local rings and kernel devices.
#pragma once

#include "payload.hpp"

#include <evring/poller/poller.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace evring::demo {

/// One consumer: one ring as one poller read it.
struct ConsumerAccount {
  std::string ring;
  unsigned cpu = 0;
  std::uint64_t start = 0;
  std::uint64_t head = 0;  ///< when it ended, after the producers had stopped
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t overruns = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t lag_max = 0;
  std::uint64_t doorbells = 0;

  bool holds() const noexcept {
    return received + lost == head - start && corrupt == 0 && out_of_order == 0;
  }
};

class Reader {
 public:
  /// What the payloads of a ring are to be checked as.
  enum class Check { kPayload, kTick, kNothing };

  Reader(unsigned cpu, WaitStrategy strategy);
  void add(PollSource source, Check check);
  void start();
  /// Ends the thread after it has drained what is published by now.
  void stop();

  unsigned cpu() const noexcept { return cpu_; }
  const Poller& poller() const noexcept { return poller_; }
  /// After stop().
  std::vector<ConsumerAccount> accounts() const;

 private:
  struct Ring {
    Check check = Check::kPayload;
    Verifier verifier;
    std::uint64_t lag_max = 0;
    std::uint64_t bursts = 0;
  };
  void take(unsigned id, std::span<const Event> events) noexcept;

  unsigned cpu_;
  Poller poller_;
  std::vector<Ring> rings_;
  std::jthread thread_;
};

using Readers = std::vector<std::unique_ptr<Reader>>;

/// The pollers' CPUs: those of this process, at most `count_max`.
std::vector<unsigned> reader_cpus(std::size_t count_max);

/// Prints the account of each consumer. @return whether all of them hold.
bool print_accounts(const std::vector<ConsumerAccount>& accounts);

std::vector<ConsumerAccount> accounts_of(const Readers& readers);

}  // namespace evring::demo
