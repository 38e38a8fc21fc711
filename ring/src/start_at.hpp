// SPDX-License-Identifier: MIT
// Where a consumer starts, as the ABI has it (enum evring_start_at), and back. Private to
// the library.
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>

#include <cstdint>

namespace evring {

inline std::uint32_t to_abi(StartAt start_at) noexcept {
  switch (start_at) {
    case StartAt::kOldest:
      return EVRING_START_OLDEST;
    case StartAt::kSequence:
      return EVRING_START_SEQUENCE;
    default:
      return EVRING_START_NEWEST;
  }
}

inline StartAt start_of(std::uint32_t abi) noexcept {
  if (abi == EVRING_START_OLDEST) return StartAt::kOldest;
  return abi == EVRING_START_SEQUENCE ? StartAt::kSequence : StartAt::kNewest;
}

}  // namespace evring
