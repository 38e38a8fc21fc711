// SPDX-License-Identifier: MIT
// The processes of a race, and the sums.
#include <bench/guest/race.hpp>
#include <bench/rig/clock.hpp>
#include <bench/rig/processes.hpp>
#include <bench/rig/threads.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace evring::bench {
namespace {

using std::chrono::milliseconds;

/// Producers on all CPUs in turn, consumers from the last one down.
std::vector<Child> start(const Case& one, Board& board, const Race& race) {
  const std::vector<int>& cpus = allowed_cpus();
  std::vector<Child> children;
  for (unsigned i = 0; i < one.producer_count; ++i) {
    children.emplace_back(cpus[i % cpus.size()], [&, i] { race.produce(board, i); });
  }
  for (unsigned i = 0; i < one.consumer_count; ++i) {
    children.emplace_back(cpus[cpus.size() - 1 - i % cpus.size()],
                          [&, i] { race.consume(board, i); });
  }
  return children;
}

void wait_until_ready(const Board& board, const std::vector<Child>& children) {
  while (board.ready < children.size()) {
    if (std::any_of(children.begin(), children.end(), std::mem_fn(&Child::has_ended))) {
      throw std::runtime_error("a process of the race did not start");
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
}

/// Of all processes; while they run, `received` alone means something.
struct Sums {
  std::uint64_t offered = 0;
  std::uint64_t accepted = 0;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
  std::uint64_t out_of_order = 0;
};

Sums sums_of(const Board& board) {
  Sums sums;
  for (const ProducerCounts& each : board.producer) {
    sums.offered += each.offered;
    sums.accepted += each.accepted;
  }
  for (const ConsumerCounts& each : board.consumer) {
    sums.received += each.received;
    sums.lost += each.lost;
    sums.torn += each.torn;
    sums.out_of_order += each.out_of_order;
  }
  return sums;
}

/// What does not add up.
std::vector<std::string> faults_of(const Case& one, const Board& board, const Sums& sums,
                                   bool is_broadcast, const Account& account) {
  std::vector<std::string> faults;
  const auto expect = [&faults](bool holds, std::string what) {
    if (!holds) faults.push_back(std::move(what));
  };
  const std::uint64_t published = account.published;
  for (unsigned i = 0; i < one.consumer_count; ++i) {
    const ConsumerCounts& each = board.consumer[i];
    const std::uint64_t got = each.received;
    expect(each.balanced && (!is_broadcast || got + each.lost == published),
           fmt::format("consumer {}: {} received + {} lost, {} published", i, got, each.lost,
                       published));
  }
  expect(published > 0, "nothing was published");
  expect(sums.accepted == published,
         fmt::format("{} accepted, {} published", sums.accepted, published));
  expect(sums.offered == published + account.dropped,
         fmt::format("{} offered, {} published + {} dropped", sums.offered, published,
                     account.dropped));
  expect(
      is_broadcast || sums.received + account.left == published,
      fmt::format("{} delivered + {} left, {} published", sums.received, account.left, published));
  expect(account.corruptions == 0, fmt::format("{} found by the driver", account.corruptions));
  expect(sums.torn == 0, fmt::format("{} torn events", sums.torn));
  expect(sums.out_of_order == 0, fmt::format("{} events out of order", sums.out_of_order));
  return faults;
}

}  // namespace

void Board::wait_for_go() {
  ++ready;
  while (!go) std::this_thread::sleep_for(milliseconds(1));
}

Record run_race(const Case& one, const Race& race) {
  if (one.burst_count > EVRING_BASELINE_BATCH_MAX ||
      std::max(one.producer_count, one.consumer_count) > kRaceProcessesMax) {
    throw std::invalid_argument("too many producers, consumers or events in a burst");
  }
  const Shared<Board> board;
  std::vector<Child> children = start(one, *board, race);
  wait_until_ready(*board, children);

  const auto begun = Clock::now();
  board->go = true;
  std::this_thread::sleep_for(milliseconds(one.duration_ms));
  const std::uint64_t in_time = sums_of(*board).received;
  board->producers_stop = true;
  const double seconds = seconds_between(begun, Clock::now());
  std::size_t failed = 0;
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (i == one.producer_count) board->producers_done = true;
    failed += children[i].wait() ? 0 : 1;
  }

  const Account account = race.account();
  const Sums sums = sums_of(*board);
  auto faults = faults_of(one, *board, sums, race.is_broadcast, account);
  if (failed > 0) faults.push_back(fmt::format("{} processes failed", failed));
  Record record = {{"value", static_cast<double>(in_time) / seconds},
                   {"unit", "events/s"},
                   {"exact", faults.empty()},
                   {"injected", static_cast<double>(account.published) / seconds},
                   {"lost", sums.lost},
                   {"dropped", account.dropped},
                   {"corruptions", account.corruptions},
                   {"lock_wait_ns", account.lock_wait_ns}};
  if (!faults.empty()) record["faults"] = faults;
  return record;
}

}  // namespace evring::bench
