// SPDX-License-Identifier: MIT
// What the producers of a local ring share with its owner: everything writable, made
// before anyone can fork, so that it lies at the same place in the owner's children.
#pragma once

#include <evring/abi.h>
#include <evring/mapping.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace evring {

/// Who is registered, in memory that the owner shares with what it forks and with
/// nobody else: what a consumer may write is in its page and the doorbell page only.
/// Entry i is written by whoever holds the lease of byte i.
struct RegistrationTable {
  std::uint64_t registered = 0;      ///< bit i: consumer i is registered
  std::uint64_t change_count = 0;    ///< one more for each change of an entry
  std::uint64_t claim = 0;           ///< gated: end of what the producer asks the gate for
  std::uint64_t turn = 0;            ///< the index behind the one that was given last
  std::uint64_t repaired_limit = 0;  ///< packed slots: taken back before this, and counted then
  std::uint64_t reserved[3]{};
  struct Entry {
    std::uint64_t change_count = 0;  ///< one more for each change of this entry
    std::uint64_t start = 0;         ///< where the cursor begins
  };
  std::array<Entry, EVRING_CONSUMER_COUNT_MAX> entries{};
};

/// The byte of the lease file that the producer holds; consumer i holds byte i.
inline constexpr unsigned kProducerByte = EVRING_CONSUMER_COUNT_MAX;

struct ProducerSide {
  evring_header* header = nullptr;
  std::byte* slots = nullptr;
  Geometry geometry;
  evring_doorbell_page* doorbell = nullptr;
  RegistrationTable* table = nullptr;
  std::array<evring_consumer_page*, EVRING_CONSUMER_COUNT_MAX> pages{};
  std::array<int, EVRING_CONSUMER_COUNT_MAX> doorbell_fds{};  ///< the writing ends
  std::array<int, EVRING_CONSUMER_COUNT_MAX> timer_fds{};
  int lease_fd = -1;  ///< who lives; see Lease
};

}  // namespace evring
