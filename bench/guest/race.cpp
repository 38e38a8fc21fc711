// SPDX-License-Identifier: MIT
// Processes, a page of counters that they share, and the sums.
#include "race.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <thread>

namespace evring::compare {
namespace {

using Count = std::atomic<std::uint64_t>;

struct alignas(64) ProducerCounts {
  Count offered{0};
  Count accepted{0};
};

struct alignas(64) ConsumerCounts {
  Count received{0};
  Count lost{0};
  Count corrupt{0};
  Count out_of_order{0};
  std::atomic<bool> balanced{false};
};

constexpr int kProcessesMax = 64;
constexpr std::uint32_t kNumbersReserved = 32;

/// Memory of all processes of a race.
struct Board {
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> producers_stop{false};
  std::atomic<bool> producers_done{false};
  std::array<ProducerCounts, kProcessesMax> producer;
  std::array<ConsumerCounts, kProcessesMax> consumer;
};

class SharedBoard {
 public:
  SharedBoard()
      : memory_(::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    board_ = new (memory_) Board;
  }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  ~SharedBoard() { ::munmap(memory_, sizeof(Board)); }
  Board& operator*() const { return *board_; }

 private:
  void* memory_;
  Board* board_;
};

/// Child processes; killed if something throws before they were waited for.
class Children {
 public:
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  ~Children() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
    wait();
  }
  void start(int cpu, const std::function<void()>& work) {
    const pid_t pid = ::fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::_exit(run_child(cpu, work));
    }
    pids_.push_back(pid);
  }
  bool any_dead() {
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
  }
  /// @return how many failed.
  int wait() {
    int failed = 0;
    for (const pid_t pid : pids_) {
      int status = 0;
      if (::waitpid(pid, &status, 0) != pid || status != 0) ++failed;
    }
    pids_.clear();
    return failed;
  }

 private:
  static int run_child(int cpu, const std::function<void()>& work) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (::sched_setaffinity(0, sizeof(set), &set) != 0) return 2;
    try {
      work();
      return 0;
    } catch (const std::exception& error) {
      fmt::print(stderr, "evring_guest_compare: {}\n", error.what());
      return 1;
    }
  }
  std::vector<pid_t> pids_;
};

void wait_for_go(Board& board) {
  ++board.ready;
  while (!board.go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void produce(Contender& contender, Board& board, std::uint32_t number, std::uint32_t batch_count) {
  const auto side = contender.open_producer();
  ProducerCounts& counts = board.producer[number];
  std::array<Input, kNumbersReserved> inputs;
  std::uint64_t offered = 0;
  std::uint64_t accepted = 0;
  wait_for_go(board);
  while (!board.producers_stop.load(std::memory_order_relaxed)) {
    for (std::uint32_t i = 0; i < batch_count; ++i) inputs[i] = make_input(number, offered + i);
    accepted += side->inject(inputs.data(), batch_count);
    offered += batch_count;
  }
  counts.offered = offered;
  counts.accepted = accepted;
}

void consume(Contender& contender, Board& board, std::size_t number) {
  const auto side = contender.open_consumer();
  ConsumerCounts& counts = board.consumer[number];
  Verifier verifier;
  wait_for_go(board);
  for (;;) {
    const bool last_round = board.producers_done;
    const bool found = side->poll(verifier);
    counts.received.store(verifier.received(), std::memory_order_relaxed);
    if (!found && last_round) break;
  }
  counts.lost = side->lost();
  counts.corrupt = verifier.corrupt();
  counts.out_of_order = verifier.out_of_order();
  counts.balanced = side->balanced(verifier.received());
}

int consumer_cpu(const std::vector<int>& cpus, int consumer) {
  const int count = static_cast<int>(cpus.size());
  return cpus[static_cast<std::size_t>(count - 1 - consumer % count)];
}

int producer_cpu(const std::vector<int>& cpus, const RaceOptions& options, int producer) {
  int count = static_cast<int>(cpus.size());
  if (options.pinning == Pinning::kApart) count = std::max(1, count - options.consumers);
  return cpus[static_cast<std::size_t>(producer % count)];
}

std::uint64_t received_now(const Board& board, int consumers) {
  std::uint64_t received = 0;
  for (int i = 0; i < consumers; ++i)
    received += board.consumer[static_cast<std::size_t>(i)].received;
  return received;
}

void wait_until_ready(Children& children, const Board& board, int count) {
  while (board.ready < count) {
    if (children.any_dead()) throw std::runtime_error("a process of the race did not start");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// The sums of all processes, beside the driver's account.
void check_sums(RaceResult& result, const Contender& contender, const Account& account,
                std::uint64_t offered, std::uint64_t accepted) {
  const auto expect = [&](bool holds, std::string what) {
    if (!holds) result.faults.push_back(std::move(what));
  };
  expect(accepted == account.published,
         fmt::format("{} accepted, {} published", accepted, account.published));
  expect(offered == account.published + account.dropped,
         fmt::format("{} offered, {} published + {} dropped", offered, account.published,
                     account.dropped));
  if (!contender.broadcast()) {
    expect(result.delivered + account.left == account.published,
           fmt::format("{} delivered + {} left, {} published", result.delivered, account.left,
                       account.published));
  }
  expect(result.corrupt == 0, fmt::format("{} corrupt events", result.corrupt));
  expect(result.out_of_order == 0, fmt::format("{} events out of order", result.out_of_order));
}

void collect(RaceResult& result, const Board& board, const Contender& contender,
             const Account& account, const RaceOptions& options) {
  std::uint64_t offered = 0;
  std::uint64_t accepted = 0;
  for (int i = 0; i < options.producers; ++i) {
    offered += board.producer[static_cast<std::size_t>(i)].offered;
    accepted += board.producer[static_cast<std::size_t>(i)].accepted;
  }
  for (int i = 0; i < options.consumers; ++i) {
    const ConsumerCounts& counts = board.consumer[static_cast<std::size_t>(i)];
    result.delivered += counts.received;
    result.lost += counts.lost;
    result.corrupt += counts.corrupt;
    result.out_of_order += counts.out_of_order;
    const std::uint64_t sum = counts.received + counts.lost;
    if (!counts.balanced || (contender.broadcast() && sum != account.published)) {
      result.faults.push_back(fmt::format("consumer {}: {} received + {} lost, {} published", i,
                                          counts.received.load(), counts.lost.load(),
                                          account.published));
    }
  }
  result.injected = account.published;
  result.dropped = account.dropped;
  result.lock_wait_ns = account.lock_wait_ns;
  result.corruptions = account.corruptions;
  check_sums(result, contender, account, offered, accepted);
}

}  // namespace

RaceResult run_race(Contender& contender, const RaceOptions& options) {
  if (options.producers > kProcessesMax || options.consumers > kProcessesMax ||
      options.batch_count > kNumbersReserved) {
    throw std::invalid_argument("too many producers, consumers or events in a batch");
  }
  const std::vector<int> cpus = allowed_cpus();
  const SharedBoard shared;
  Board& board = *shared;
  Children producers;
  Children consumers;
  for (int i = 0; i < options.consumers; ++i) {
    consumers.start(consumer_cpu(cpus, i),
                    [&, i] { consume(contender, board, static_cast<std::size_t>(i)); });
  }
  for (int i = 0; i < options.producers; ++i) {
    producers.start(producer_cpu(cpus, options, i), [&, i] {
      produce(contender, board, static_cast<std::uint32_t>(i), options.batch_count);
    });
  }
  wait_until_ready(producers, board, options.producers + options.consumers);

  const auto start = std::chrono::steady_clock::now();
  board.go = true;
  std::this_thread::sleep_for(options.duration);
  RaceResult result;
  result.delivered_in_time = received_now(board, options.consumers);
  board.producers_stop = true;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const int failed_producers = producers.wait();
  board.producers_done = true;
  const int failed = failed_producers + consumers.wait();
  if (failed > 0) result.faults.push_back(fmt::format("{} processes failed", failed));
  collect(result, board, contender, contender.account(), options);
  return result;
}

std::string describe_pinning(const RaceOptions& options) {
  const std::vector<int> cpus = allowed_cpus();
  std::vector<int> of_producers;
  std::vector<int> of_consumers;
  const auto add = [](std::vector<int>& to, int cpu) {
    if (std::find(to.begin(), to.end(), cpu) == to.end()) to.push_back(cpu);
  };
  for (int i = 0; i < options.producers; ++i) add(of_producers, producer_cpu(cpus, options, i));
  for (int i = 0; i < options.consumers; ++i) add(of_consumers, consumer_cpu(cpus, i));
  return fmt::format("producers on {}, consumers on {}", fmt::join(of_producers, ","),
                     fmt::join(of_consumers, ","));
}

}  // namespace evring::compare
