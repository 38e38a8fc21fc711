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

/// What one consumer saw: how much, and what was wrong with it.
class Verifier {
 public:
  void take(std::uint32_t type, std::uint32_t length_bytes, const std::uint64_t* words) noexcept;

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
