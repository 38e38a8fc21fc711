// SPDX-License-Identifier: MIT
// Local rings and concurrent producers at full speed, read by pinned pollers; then
// the same load through the mutex list; then a load that leaves time to sleep.
#include "demo.hpp"
#include "reader.hpp"
#include "table.hpp"

#include <bench/peers/mutex_list.hpp>
#include <evring/poller/cpu_list.hpp>
#include <evring/shared_producer.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>

namespace evring::demo {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBurst = 32;
constexpr std::uint64_t kRoom = 4096;  ///< slots of a ring, and bound of a list

struct RingPlan {
  const char* name;
  unsigned producer_count;
};
constexpr std::array kPlan = {RingPlan{"one", 1}, RingPlan{"two", 1}, RingPlan{"shared", 2}};

/// One contender's result.
struct Outcome {
  std::string name;
  double seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t offered = 0;
  std::uint64_t delivered = 0;
  std::uint64_t due = 0;  ///< what the consumers should have got together
  std::uint64_t lost = 0;
  std::uint64_t lag_max = 0;
  std::uint64_t wakes = 0;
  double lock_wait_seconds = 0;
  bool producers_balance = true;
  std::vector<ConsumerAccount> accounts;
};

double cpu_seconds_so_far() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Measures from its construction to finish().
class Stopwatch {
 public:
  void finish(Outcome& outcome) const {
    outcome.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    outcome.cpu_seconds = cpu_seconds_so_far() - cpu_begin_;
  }

 private:
  Clock::time_point begin_ = Clock::now();
  double cpu_begin_ = cpu_seconds_so_far();
};

/// Calls `offer(producer, first number) -> events offered` until it is told to stop.
/// @return how many events that offered.
template <class Offer>
std::uint64_t produce(const std::stop_token& stop, unsigned producer, Offer&& offer) {
  std::uint64_t number = 0;
  while (!stop.stop_requested()) number += offer(producer, number);
  return number;
}

/// Producers on threads of their own; `offer(ring, producer, number)` as above.
template <class Offer>
std::uint64_t produce_everywhere(milliseconds duration, Offer&& offer) {
  std::atomic<std::uint64_t> offered{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t ring = 0; ring < kPlan.size(); ++ring) {
      for (unsigned producer = 0; producer < kPlan[ring].producer_count; ++producer) {
        threads.emplace_back([&, ring, producer](const std::stop_token& stop) {
          offered += produce(stop, producer, [&](unsigned self, std::uint64_t number) {
            return offer(ring, self, number);
          });
        });
      }
    }
    std::this_thread::sleep_for(duration);
    for (std::jthread& thread : threads) thread.request_stop();
  }
  return offered;
}

struct LocalSetup {
  std::vector<LocalRing> rings;
  std::vector<std::unique_ptr<SharedProducer<DefaultSlot>>> producers;
  Readers readers;
};

LocalSetup set_up(Mode mode, WaitStrategy strategy) {
  LocalSetup setup;
  for (const RingPlan& plan : kPlan) {
    LocalRingOptions options;
    options.slot_count = kRoom;
    options.mode = mode;
    options.name = plan.name;
    setup.rings.push_back(LocalRing::anonymous(options));
    setup.producers.push_back(
        std::make_unique<SharedProducer<DefaultSlot>>(setup.rings.back(), WhenFull::kWait));
  }
  for (const unsigned cpu : reader_cpus(4)) {
    setup.readers.push_back(std::make_unique<Reader>(cpu, strategy));
    for (const LocalRing& ring : setup.rings) {
      setup.readers.back()->add(PollSource::of(ring), Reader::Check::kPayload);
    }
  }
  return setup;
}

void collect(const LocalSetup& setup, Outcome& outcome) {
  outcome.accounts = accounts_of(setup.readers);
  for (const ConsumerAccount& account : outcome.accounts) {
    outcome.delivered += account.received;
    outcome.lost += account.lost;
    outcome.due += account.head - account.start;
    outcome.lag_max = std::max(outcome.lag_max, account.lag_max);
  }
  for (const auto& reader : setup.readers) outcome.wakes += reader->poller().counters().wakes;
  std::uint64_t counted = 0;
  for (std::size_t i = 0; i < setup.rings.size(); ++i) {
    setup.producers[i]->with_producer([&](BasicProducer<DefaultSlot>& producer) {
      producer.refresh_status();
      counted += producer.offered();
    });
    const auto status = read_status(*setup.rings[i].mapping().header(), 0);
    if (status) outcome.lock_wait_seconds += 1e-9 * static_cast<double>(status->block.lock_wait_ns);
  }
  outcome.producers_balance = counted == outcome.offered;
}

Outcome run_rings(const char* name, Mode mode, milliseconds duration) {
  Outcome outcome;
  outcome.name = name;
  LocalSetup setup = set_up(mode, WaitStrategy::kAdaptive);
  for (const auto& reader : setup.readers) reader->start();
  const Stopwatch watch;
  outcome.offered =
      produce_everywhere(duration, [&](std::size_t ring, unsigned producer, std::uint64_t number) {
        Event event{};
        event.set(Payload::make(producer, number));
        setup.producers[ring]->publish(event);
        return 1;
      });
  for (const auto& reader : setup.readers) reader->stop();
  watch.finish(outcome);
  collect(setup, outcome);
  return outcome;
}

using List = peers::MutexDevice<Payload>;

/// A consumer of the mutex list: it has a list per device to itself, as a broadcast
/// through lists needs.
class ListReader {
 public:
  ListReader(unsigned cpu, std::vector<List*> lists) : cpu_(cpu), lists_(std::move(lists)) {
    accounts_.resize(lists_.size());
    verifiers_.resize(lists_.size());
  }

  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      pin_this_thread(cpu_);
      while (!stop.stop_requested()) {
        if (take_all() == 0) std::this_thread::yield();
      }
      while (take_all() != 0) {
      }
    });
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }
  std::vector<ConsumerAccount> accounts() const {
    std::vector<ConsumerAccount> accounts = accounts_;
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      accounts[i].ring = lists_[i]->name();
      accounts[i].cpu = cpu_;
      accounts[i].head = lists_[i]->injected();
      accounts[i].corrupt = verifiers_[i].corrupt();
      accounts[i].out_of_order = verifiers_[i].out_of_order();
    }
    return accounts;
  }

 private:
  std::size_t take_all() {
    std::size_t total = 0;
    std::array<Payload, 64> burst;
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      const std::size_t count = lists_[i]->get_burst(burst);
      for (std::size_t k = 0; k < count; ++k) verifiers_[i].take(burst[k]);
      accounts_[i].received += count;
      if ((++looks_ & 63) == 0) {
        accounts_[i].lag_max = std::max(accounts_[i].lag_max, lists_[i]->waiting());
      }
      total += count;
    }
    return total;
  }

  unsigned cpu_;
  std::vector<List*> lists_;
  std::vector<ConsumerAccount> accounts_;
  std::vector<Verifier> verifiers_;
  std::uint64_t looks_ = 0;
  std::jthread thread_;
};

/// Injects and, as the gated ring's producer does, waits while there is no room.
void inject_waiting(List& list, const Payload& payload) {
  while (!list.inject(payload)) std::this_thread::yield();
}

Outcome run_lists(milliseconds duration) {
  Outcome outcome;
  outcome.name = "mutex list, producers wait";
  std::vector<std::vector<std::unique_ptr<List>>> lists(kPlan.size());
  std::vector<std::unique_ptr<ListReader>> readers;
  for (const unsigned cpu : reader_cpus(4)) {
    std::vector<List*> own;
    for (std::size_t i = 0; i < kPlan.size(); ++i) {
      lists[i].push_back(std::make_unique<List>(std::string("list:") + kPlan[i].name, kRoom));
      own.push_back(lists[i].back().get());
    }
    readers.push_back(std::make_unique<ListReader>(cpu, std::move(own)));
  }
  for (const auto& reader : readers) reader->start();
  const Stopwatch watch;
  outcome.offered =
      produce_everywhere(duration, [&](std::size_t ring, unsigned producer, std::uint64_t number) {
        const Payload payload = Payload::make(producer, number);
        for (const auto& list : lists[ring]) inject_waiting(*list, payload);
        return 1;
      });
  for (const auto& reader : readers) reader->stop();
  watch.finish(outcome);
  for (const auto& reader : readers) {
    for (ConsumerAccount& account : reader->accounts()) {
      outcome.delivered += account.received;
      outcome.due += account.head;
      outcome.lag_max = std::max(outcome.lag_max, account.lag_max);
      outcome.accounts.push_back(std::move(account));
    }
  }
  return outcome;
}

void print_outcomes(const std::vector<Outcome>& outcomes) {
  Table table({"", "offered", "delivered", "delivered / core", "of the list", "lost", "max lag",
               "wake-ups", "CPU time"});
  const Outcome& list = outcomes.back();
  const auto per_core = [](const Outcome& outcome) {
    return static_cast<double>(outcome.delivered) / std::max(outcome.cpu_seconds, 1e-9);
  };
  for (const Outcome& outcome : outcomes) {
    table.add({outcome.name, format_rate(static_cast<double>(outcome.offered) / outcome.seconds),
               format_rate(static_cast<double>(outcome.delivered) / outcome.seconds),
               format_rate(per_core(outcome)),
               fmt::format("{:.1f} x", per_core(outcome) / per_core(list)),
               format_share(outcome.lost, outcome.due), format_count(outcome.lag_max),
               format_count(outcome.wakes), fmt::format("{:.2f} s", outcome.cpu_seconds)});
  }
  table.print();
}

bool show_full_speed(milliseconds each) {
  print_heading("1. Full speed, on this machine");
  const std::vector<unsigned> cpus = reader_cpus(4);
  print_text(fmt::format(
      "Three rings of {} slots in memory, no kernel module and no root. Four producers: one for "
      "each of the first two rings, two that share the third; each publishes one event after the "
      "other, with a checksum, as fast as it can. {} pollers, pinned to CPU {}, each reads all "
      "three "
      "rings and checks every event. Then the same load through the course's mutex list, which "
      "needs a list per consumer for it.",
      kRoom, cpus.size(), format_cpu_list(cpus)));
  std::vector<Outcome> outcomes;
  outcomes.push_back(run_rings("ring, overwrite", Mode::kOverwrite, each));
  outcomes.push_back(run_rings("ring, gated", Mode::kGated, each));
  outcomes.push_back(run_lists(each));
  print_outcomes(outcomes);
  print_text(
      "offered: by all producers. delivered: to all consumers together. / core: per second of CPU "
      "time that all threads used. overwrite: the producers never wait, and a consumer that falls "
      "a whole ring behind loses events, counted one by one. gated and mutex list: nothing is "
      "lost, the producers wait for the slowest consumer.");
  bool all_hold = true;
  for (const Outcome& outcome : outcomes) {
    fmt::print("The balance of each consumer: {}{}\n", outcome.name,
               outcome.producers_balance ? "" : "; PRODUCERS DO NOT BALANCE");
    all_hold = print_accounts(outcome.accounts) && outcome.producers_balance && all_hold;
  }
  return all_hold;
}

/// Publishes `kBurst` events at a time, with pauses, so that pollers go to sleep.
Outcome run_with_pauses(milliseconds duration, LocalSetup& setup) {
  Outcome outcome;
  for (const auto& reader : setup.readers) reader->start();
  const Stopwatch watch;
  const auto end = Clock::now() + duration;
  for (std::uint64_t number = 0; Clock::now() < end; number += kBurst) {
    std::array<Event, kBurst> burst;
    for (std::size_t i = 0; i < kBurst; ++i) burst[i].set(Payload::make(0, number + i));
    setup.producers[0]->publish_batch(burst);
    outcome.offered += kBurst;
    std::this_thread::sleep_for(milliseconds(5));
  }
  for (const auto& reader : setup.readers) reader->stop();
  watch.finish(outcome);
  collect(setup, outcome);
  return outcome;
}

bool show_sleep(milliseconds each) {
  print_heading("2. With pauses: arm, park, wake");
  print_text(fmt::format(
      "The same pollers, but only ring 'one' gets {} events, every 5 ms. A poller that has seen "
      "nothing for 50 us asks for a doorbell and sleeps in io_uring.",
      kBurst));
  LocalSetup setup = set_up(Mode::kOverwrite, WaitStrategy::kAdaptive);
  const Outcome outcome = run_with_pauses(each, setup);
  Table table({"poller", "events", "doorbells", "parks", "wake-ups", "spurious", "completions",
               "events / wake-up"});
  for (const auto& reader : setup.readers) {
    const PollerCounters& counters = reader->poller().counters();
    const auto wakes = std::max<std::uint64_t>(counters.wakes, 1);
    table.add(
        {fmt::format("CPU {}", reader->cpu()), format_count(counters.events),
         format_count(counters.doorbells), format_count(counters.parks),
         format_count(counters.wakes), format_count(counters.spurious_wakes),
         format_count(counters.completions),
         fmt::format("{:.1f}", static_cast<double>(counters.events) / static_cast<double>(wakes))});
  }
  table.print();
  const RungChoice& rung = setup.readers.front()->poller().rung(0);
  print_text(
      fmt::format("Doorbells come by {} ({}). CPU time of the whole process: {:.1f} % of one core.",
                  to_string(rung.rung), rung.reason, 100 * outcome.cpu_seconds / outcome.seconds));
  fmt::print("The balance of each consumer\n");
  return print_accounts(outcome.accounts) && outcome.producers_balance;
}

}  // namespace

bool run_here(milliseconds each) {
  const bool full_speed = show_full_speed(each);
  const bool sleep = show_sleep(std::min(each, milliseconds(1000)));
  return full_speed && sleep;
}

}  // namespace evring::demo
