// SPDX-License-Identifier: MIT
// The event that every contender carries: 40 bytes of payload, the last 8 a checksum, so
// that a torn or mixed-up event cannot pass. The same bytes go into each driver's ioctl.
#pragma once

#include <array>
#include <cstdint>

#include "kmod/baseline_abi.h"

namespace evring::compare {

using Input = evring_baseline_input;  // also the layout of EVRING_IOC_INJECT, 40-byte payload

/// The number-th event of a producer.
Input make_input(std::uint32_t producer, std::uint64_t number) noexcept;

constexpr std::uint64_t mix(std::uint64_t sum, std::uint64_t word) noexcept {
  sum = (sum ^ word) * 0xbf58476d1ce4e5b9ULL;
  return sum ^ (sum >> 29);
}
/// Written out: under emulation a loop costs as much again.
constexpr std::uint64_t checksum(std::uint32_t type, std::uint64_t a, std::uint64_t b,
                                 std::uint64_t c, std::uint64_t d) noexcept {
  return mix(mix(mix(mix(0x9e3779b97f4a7c15ULL ^ type, a), b), c), d);
}

/// What a consumer found in an event, before it counts it: an event that is looked at in
/// place counts only once it is known that the producer left it alone meanwhile.
struct Finding {
  std::uint64_t number = 0;
  std::uint32_t type = 0;
  bool whole = false;
};

/// @param word  gives payload word i; called once for each.
template <class Word>
Finding examine(std::uint32_t type, std::uint32_t length_bytes, Word&& word) noexcept {
  static_assert(EVRING_BASELINE_PAYLOAD_WORDS == 5);
  const std::uint64_t number = word(0);
  const std::uint64_t sum = checksum(type, number, word(1), word(2), word(3));
  return {number, type, length_bytes == sizeof(Input::word) && word(4) == sum};
}

/// What one consumer saw: how much, and what was wrong with it.
class Verifier {
 public:
  void take(const Finding& finding) noexcept {
    ++received_;
    if (!finding.whole || finding.type >= kProducersMax) [[unlikely]] {
      ++corrupt_;
      return;
    }
    if (finding.number < next_[finding.type]) [[unlikely]]
      ++out_of_order_;
    next_[finding.type] = finding.number + 1;
  }

  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t corrupt() const noexcept { return corrupt_; }
  /// Events of one producer that came in another order than they went in.
  std::uint64_t out_of_order() const noexcept { return out_of_order_; }

 private:
  static constexpr std::uint32_t kProducersMax = 256;

  std::uint64_t received_ = 0;
  std::uint64_t corrupt_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::array<std::uint64_t, kProducersMax> next_{};
};

}  // namespace evring::compare
