// SPDX-License-Identifier: MIT
// The event of the demonstration: who made it, its number there, and a checksum
// that a torn or a mixed-up copy does not pass.
#pragma once

#include <evring/abi.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace evring::demo {

struct Payload {
  std::uint64_t producer = 0;
  std::uint64_t number = 0;
  std::array<std::uint64_t, 2> filler{};
  std::uint64_t checksum = 0;

  static Payload make(std::uint64_t producer, std::uint64_t number) noexcept {
    Payload payload{producer, number, {number * 0x9e3779b97f4a7c15, ~number}, 0};
    payload.checksum = payload.sum();
    return payload;
  }
  bool intact() const noexcept { return checksum == sum(); }

 private:
  std::uint64_t sum() const noexcept {
    return ((producer + 1) * 0xff51afd7ed558ccd) ^ ((number ^ filler[0]) + (filler[1] << 7));
  }
};
static_assert(sizeof(Payload) == 40, "the payload of a default slot");

/// Checks what one consumer gets from one ring.
class Verifier {
 public:
  void take(const Payload& payload) noexcept {
    if (!payload.intact() || payload.producer >= kProducersMax) {
      ++corrupt_;
      return;
    }
    std::uint64_t& next = next_[payload.producer];
    if (payload.number < next) ++out_of_order_;
    next = payload.number + 1;
  }
  /// A tick of a timer device: its pattern follows from its sequence.
  void take_tick(std::uint64_t sequence, const std::array<std::uint64_t, 5>& words) noexcept {
    for (std::uint32_t i = 0; i < words.size(); ++i) {
      if (words[i] == evring_pattern_word(sequence, i)) continue;
      ++corrupt_;
      return;
    }
  }
  std::uint64_t corrupt() const noexcept { return corrupt_; }
  std::uint64_t out_of_order() const noexcept { return out_of_order_; }

 private:
  static constexpr std::size_t kProducersMax = 64;
  std::uint64_t corrupt_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::array<std::uint64_t, kProducersMax> next_{};
};

}  // namespace evring::demo
