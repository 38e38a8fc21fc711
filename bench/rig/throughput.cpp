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

Verdict judge(const std::vector<ConsumerReport>& reports, std::uint64_t published,
              Delivery delivery) {
  Verdict verdict{.exact = true};
  Tally total;
  for (const ConsumerReport& report : reports) {
    total.received += report.tally.received;
    total.torn += report.tally.torn;
    total.out_of_order += report.tally.out_of_order;
    total.sum += report.tally.sum;
    total.square_sum += report.tally.square_sum;
    verdict.lost += report.lost;
    if (delivery == Delivery::kShared) continue;
    verdict.exact = verdict.exact && report.tally.received + report.lost == published &&
                    report.tally.skipped <= report.lost && report.tally.out_of_order == 0;
  }
  // Who gets which of shared events is nobody's promise, nor when.
  if (delivery == Delivery::kShared) verdict.exact = all_shared_out(total, published);
  verdict.exact = verdict.exact && total.torn == 0;
  verdict.received = total.received;
  verdict.torn = total.torn;
  verdict.out_of_order = total.out_of_order;
  return verdict;
}

Record outcome_record(const Outcome& outcome, double value, const char* unit) {
  return {
      {"value", value},
      {"unit", unit},
      {"exact", outcome.verdict.exact},
      {"published", outcome.published},
      {"published_per_second", static_cast<double>(outcome.published) / outcome.publish_seconds},
      {"received", outcome.verdict.received},
      {"lost", outcome.verdict.lost},
      {"torn", outcome.verdict.torn},
      {"out_of_order", outcome.verdict.out_of_order},
      {"seconds", outcome.seconds}};
}

}  // namespace evring::bench
