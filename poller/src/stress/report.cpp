// SPDX-License-Identifier: MIT
// What a stress run found: the sums that must hold, as JSON and as a table.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "stress/report.hpp"

namespace evring::stress {
namespace {

ProducerTally total_of(const RingReport& ring) {
  ProducerTally total;
  for (const ProducerTally& tally : ring.producers) {
    total.offered += tally.offered;
    total.published += tally.published;
    total.dropped += tally.dropped;
    total.lock_wait_ns += tally.lock_wait_ns;
  }
  return total;
}

void expect_equal(std::vector<std::string>& out, const std::string& where, std::string_view left,
                  std::uint64_t left_value, std::string_view right, std::uint64_t right_value) {
  if (left_value == right_value) return;
  out.push_back(
      fmt::format("{}: {} is {}, but {} is {}", where, left, left_value, right, right_value));
}

void check_producers(std::vector<std::string>& out, const StressReport& report,
                     const RingReport& ring) {
  const ProducerTally total = total_of(ring);
  expect_equal(out, ring.name, "published + dropped", total.published + total.dropped, "offered",
               total.offered);
  expect_equal(out, ring.name, "published by the ring", ring.head_published,
               "published by its producers", total.published);
  expect_equal(out, ring.name, "dropped by the ring", ring.ring_dropped, "dropped by its producers",
               total.dropped);
  if (total.offered == 0 && !report.interrupted) out.push_back(ring.name + ": nothing was offered");
}

void check_consumer(std::vector<std::string>& out, const RingReport& ring,
                    const ConsumerReport& consumer) {
  const std::string where = fmt::format("{}: consumer {}", ring.name, consumer.consumer);
  expect_equal(out, where, "received + lost", consumer.received + consumer.lost, "end - start",
               consumer.end - consumer.start);
  if (consumer.ran_to_end) {
    expect_equal(out, where, "received + lost", consumer.received + consumer.lost,
                 "published - start", ring.head_published - consumer.start);
  }
  expect_equal(out, where, "corrupt", consumer.corrupt, "expected", 0);
  expect_equal(out, where, "out_of_order", consumer.out_of_order, "expected", 0);
  if (consumer.missing && consumer.corrupt == 0) {
    expect_equal(out, where, "lost", consumer.lost, "missing by the producers' counts",
                 *consumer.missing);
  }
}

void check_presence(std::vector<std::string>& out, const StressOptions& options,
                    const RingReport& ring) {
  std::set<unsigned> ended;
  for (const ConsumerReport& consumer : ring.consumers) {
    if (consumer.ran_to_end) ended.insert(consumer.consumer);
    if (options.shape.mode == Mode::kGated && consumer.lost != 0) {
      out.push_back(fmt::format("{}: consumer {} lost {} of a gated ring", ring.name,
                                consumer.consumer, consumer.lost));
    }
  }
  expect_equal(out, ring.name, "consumers that ran to the end", ended.size(), "expected",
               options.consumer_count);
}

Json consumer_json(const ConsumerReport& consumer) {
  return {{"consumer", consumer.consumer},
          {"start", consumer.start},
          {"end", consumer.end},
          {"received", consumer.received},
          {"lost", consumer.lost},
          {"corrupt", consumer.corrupt},
          {"out_of_order", consumer.out_of_order},
          {"overruns", consumer.overruns},
          {"doorbells", consumer.doorbells},
          {"ran_to_end", consumer.ran_to_end}};
}

void print_ring(const StressReport& report, const RingReport& ring) {
  const ProducerTally total = total_of(ring);
  const double seconds = std::max(report.seconds, 1e-9);
  print("{}: offered {}, published {} ({}/s), dropped {}\n", ring.name, total.offered,
        ring.head_published, human_count(static_cast<double>(ring.head_published) / seconds),
        ring.ring_dropped);
  if (ring.lock_contended != 0) {
    print("  lock in front of the producer: waited {} times, {} in all\n", ring.lock_contended,
          human_ns(static_cast<double>(ring.lock_wait_ns)));
  }
  print("  {:>8} {:>13} {:>13} {:>13} {:>7} {:>12} {:>9} {:>9}  {}\n", "consumer", "start",
        "received", "lost", "corrupt", "out of order", "overruns", "doorbells", "end");
  for (const ConsumerReport& c : ring.consumers) {
    print("  {:>8} {:>13} {:>13} {:>13} {:>7} {:>12} {:>9} {:>9}  {}\n", c.consumer, c.start,
          c.received, c.lost, c.corrupt, c.out_of_order, c.overruns, c.doorbells,
          c.ran_to_end ? "of the stream" : fmt::format("left at {}", c.end));
  }
}

}  // namespace

std::vector<std::string> find_imbalance(const StressOptions& options, const StressReport& report) {
  std::vector<std::string> out = report.problems;
  for (const RingReport& ring : report.rings) {
    check_producers(out, report, ring);
    check_presence(out, options, ring);
    for (const ConsumerReport& consumer : ring.consumers) check_consumer(out, ring, consumer);
  }
  return out;
}

std::uint64_t total_lost(const StressReport& report) {
  std::uint64_t lost = 0;
  for (const RingReport& ring : report.rings) {
    for (const ConsumerReport& consumer : ring.consumers) lost += consumer.lost;
  }
  return lost;
}

Json stress_json(const StressReport& report, const std::vector<std::string>& imbalance) {
  Json rings = Json::array();
  for (const RingReport& ring : report.rings) {
    Json consumers = Json::array();
    for (const ConsumerReport& consumer : ring.consumers)
      consumers.push_back(consumer_json(consumer));
    rings.push_back({{"name", ring.name},
                     {"offered", total_of(ring).offered},
                     {"published", ring.head_published},
                     {"dropped", ring.ring_dropped},
                     {"lock_wait_ns", ring.lock_wait_ns},
                     {"lock_contended", ring.lock_contended},
                     {"consumers", std::move(consumers)}});
  }
  return {{"seed", report.seed},       {"balanced", imbalance.empty()},
          {"seconds", report.seconds}, {"interrupted", report.interrupted},
          {"rung", report.rung},       {"problems", imbalance},
          {"rings", std::move(rings)}};
}

void print_stress(const StressOptions& options, const StressReport& report,
                  const std::vector<std::string>& imbalance) {
  print("seed {}; {} producers, {} {} rings, {} consumers each, {:.2f} s{}\n", report.seed,
        options.producer_count, options.ring_count, options.kernel ? "kernel" : "local",
        options.consumer_count, report.seconds, report.interrupted ? " (interrupted)" : "");
  if (!report.rung.empty()) print("doorbells by {}\n", report.rung);
  for (const RingReport& ring : report.rings) print_ring(report, ring);
  for (const std::string& line : imbalance) print("UNBALANCED {}\n", line);
  if (imbalance.empty()) print("balanced: every event is accounted for\n");
}

}  // namespace evring::stress
