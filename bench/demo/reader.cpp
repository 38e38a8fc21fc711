// SPDX-License-Identifier: MIT
#include "reader.hpp"

#include "table.hpp"

#include <evring/poller/cpu_list.hpp>

#include <algorithm>

namespace evring::demo {
namespace {

constexpr std::uint64_t kLagLookMask = 63;  ///< the lag is looked at every 64 bursts

PollerOptions options_for(WaitStrategy strategy) {
  PollerOptions options;
  options.strategy = strategy;
  options.burst_count = 64;
  return options;
}

}  // namespace

Reader::Reader(unsigned cpu, WaitStrategy strategy) : cpu_(cpu), poller_(options_for(strategy)) {}

void Reader::add(PollSource source, Check check) {
  poller_.add(std::move(source));
  rings_.push_back({check, {}, 0, 0});
}

void Reader::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    pin_this_thread(cpu_);
    const auto handler = [this](unsigned id, std::span<const Event> events) { take(id, events); };
    poller_.run(stop, handler);
    poller_.drain(handler);
  });
}

void Reader::take(unsigned id, std::span<const Event> events) noexcept {
  Ring& ring = rings_[id];
  if ((ring.bursts++ & kLagLookMask) == 0) {
    ring.lag_max = std::max(ring.lag_max, poller_.consumer(id).lag());
  }
  if (ring.check == Check::kPayload) {
    for (const Event& event : events) ring.verifier.take(event.get<Payload>());
  } else if (ring.check == Check::kTick) {
    for (const Event& event : events) {
      ring.verifier.take_tick(event.sequence, event.get<std::array<std::uint64_t, 5>>());
    }
  }
}

void Reader::stop() {
  thread_.request_stop();
  thread_.join();
}

std::vector<ConsumerAccount> Reader::accounts() const {
  std::vector<ConsumerAccount> accounts;
  for (unsigned id = 0; id < rings_.size(); ++id) {
    const Balance balance = poller_.consumer(id).balance();
    accounts.push_back({poller_.link(id).name(), cpu_, balance.start, poller_.consumer(id).head(),
                        balance.received, balance.lost, balance.overruns,
                        rings_[id].verifier.corrupt(), rings_[id].verifier.out_of_order(),
                        rings_[id].lag_max, poller_.counters(id).doorbells});
  }
  return accounts;
}

std::vector<unsigned> reader_cpus(std::size_t count_max) {
  std::vector<unsigned> cpus = allowed_cpus();
  if (cpus.size() > count_max) cpus.resize(count_max);
  return cpus;
}

std::vector<ConsumerAccount> accounts_of(const Readers& readers) {
  std::vector<ConsumerAccount> all;
  for (const auto& reader : readers) {
    for (ConsumerAccount& account : reader->accounts()) all.push_back(std::move(account));
  }
  return all;
}

bool print_accounts(const std::vector<ConsumerAccount>& accounts) {
  Table table({"ring", "CPU", "head - start", "= received", "+ lost", "overruns", "corrupt",
               "out of order", "balance"});
  bool all_hold = true;
  for (const ConsumerAccount& account : accounts) {
    all_hold = all_hold && account.holds();
    table.add({account.ring, std::to_string(account.cpu),
               format_count(account.head - account.start), format_count(account.received),
               format_count(account.lost), format_count(account.overruns),
               format_count(account.corrupt), format_count(account.out_of_order),
               account.holds() ? "holds" : "BROKEN"});
  }
  table.print();
  return all_hold;
}

}  // namespace evring::demo
