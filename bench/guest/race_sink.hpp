// SPDX-License-Identifier: MIT
// What every driver of a race carries: 40 bytes of payload.hpp's pattern, its sequence told
// apart by producer, and the sink at the other end. The same bytes go into each driver's ioctl.
#pragma once

#include <bench/rig/payload.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kmod/baseline_abi.h"

namespace evring::bench {

using Input = evring_baseline_input;  // also the layout of EVRING_IOC_INJECT, 40-byte payload

inline constexpr std::size_t kRacePayloadBytes = sizeof(Input::word);
inline constexpr unsigned kProducerShift = 48;
inline constexpr unsigned kRaceProcessesMax = 64;  ///< of either kind

/// The number-th event of a producer.
inline Input event_of(std::uint64_t producer, std::uint64_t number) noexcept {
  Input event{};
  event.type = static_cast<std::uint32_t>(producer);
  event.length_bytes = kRacePayloadBytes;
  const auto words = PatternSource<kRacePayloadBytes>{}(producer << kProducerShift | number);
  std::copy(words.begin(), words.end(), event.word);
  return event;
}

/// What one consumer of a race saw: how much, and what was wrong with it. Events of a
/// producer may be missing, for a driver may lose or drop them, but come in its order.
class RaceSink {
  using Pattern = PatternSink<kRacePayloadBytes, Delivery::kShared>;

 public:
  using Finding = Pattern::Finding;

  /// Looks at an event and counts nothing yet: one that is looked at in place counts once it
  /// is known that its producer left it alone meanwhile.
  template <class Word>
  [[gnu::always_inline]] static Finding examine(std::uint32_t type, std::uint32_t length_bytes,
                                                Word&& word) noexcept {
    Finding found = Pattern{}.examine(word);
    found.difference |= type ^ (found.sequence >> kProducerShift);
    found.difference |= length_bytes ^ kRacePayloadBytes;
    return found;
  }
  [[gnu::always_inline]] static Finding examine(const Input& event) noexcept {
    return examine(event.type, event.length_bytes,
                   [&event](std::size_t i) -> std::uint64_t { return event.word[i]; });
  }

  void count(Finding found) noexcept {
    ++received_;
    const std::uint64_t producer = found.sequence >> kProducerShift;
    if (found.difference != 0 || producer >= kRaceProcessesMax) [[unlikely]] {
      ++torn_;
      return;
    }
    if (found.sequence < next_[producer]) [[unlikely]]
      ++out_of_order_;
    next_[producer] = found.sequence + 1;
  }

  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t torn() const noexcept { return torn_; }
  /// Events of one producer that came once more, or in another order than they went in.
  std::uint64_t out_of_order() const noexcept { return out_of_order_; }

 private:
  std::uint64_t received_ = 0;
  std::uint64_t torn_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::array<std::uint64_t, kRaceProcessesMax> next_{};
};

}  // namespace evring::bench
