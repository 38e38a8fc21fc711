// SPDX-License-Identifier: MIT
// Sums over consumers, and their records.
#include <bench/rig/throughput.hpp>

namespace evring::bench {
namespace {

/// Of events that are shared out each sequence must be there once: sums of the sequences and
/// of their squares, mod 2^64, show a hole or a duplicate.
bool all_shared_out(const Tally& total, std::uint64_t published) noexcept {
  std::uint64_t sum = 0;
  std::uint64_t square_sum = 0;
  for (std::uint64_t sequence = 0; sequence < published; ++sequence) {
    sum += sequence;
    square_sum += sequence * sequence;
  }
  return total.received == published && total.sum == sum && total.square_sum == square_sum;
}

}  // namespace

Outcome judge(const std::vector<ConsumerReport>& reports, std::uint64_t published,
              Delivery delivery) {
  Outcome outcome{.exact = true, .published = published};
  Tally total;
  for (const ConsumerReport& report : reports) {
    total.received += report.tally.received;
    total.torn += report.tally.torn;
    total.out_of_order += report.tally.out_of_order;
    total.sum += report.tally.sum;
    total.square_sum += report.tally.square_sum;
    outcome.lost += report.lost;
    if (delivery == Delivery::kShared) continue;
    outcome.exact = outcome.exact && report.tally.received + report.lost == published &&
                    report.tally.skipped <= report.lost && report.tally.out_of_order == 0;
  }
  // Who gets which of shared events is nobody's promise, nor when.
  if (delivery == Delivery::kShared) outcome.exact = all_shared_out(total, published);
  outcome.exact = outcome.exact && total.torn == 0;
  outcome.received = total.received;
  outcome.torn = total.torn;
  outcome.out_of_order = total.out_of_order;
  return outcome;
}

Record outcome_record(const Outcome& outcome, double value, const char* unit) {
  return {
      {"value", value},
      {"unit", unit},
      {"exact", outcome.exact},
      {"published", outcome.published},
      {"published_per_second", static_cast<double>(outcome.published) / outcome.publish_seconds},
      {"received", outcome.received},
      {"lost", outcome.lost},
      {"torn", outcome.torn},
      {"out_of_order", outcome.out_of_order},
      {"seconds", outcome.seconds}};
}

}  // namespace evring::bench
