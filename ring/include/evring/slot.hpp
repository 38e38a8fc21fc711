// SPDX-License-Identifier: MIT
// What a slot looks like: fixed at compile time for the hot path, or read from
// the header for tools that take any ring. Both offer the same members, so
// consumer and producer are written once.
#pragma once

#include <evring/abi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>

namespace evring {

enum class SlotFormat : std::uint32_t {
  kBare = EVRING_SLOT_BARE,            ///< payload from byte 8
  kTimestamp = EVRING_SLOT_TIMESTAMP,  ///< timestamp_ns, payload from byte 16
  kFull = EVRING_SLOT_FULL,            ///< timestamp_ns, type, length, payload from byte 24
};

/// A slot known at compile time. `kSlotBytes` is a power of two, 32 to 4096.
template <SlotFormat kSlotFormat, std::uint32_t kSlotBytes>
struct SlotLayout {
  static_assert((kSlotBytes & (kSlotBytes - 1)) == 0, "slot_bytes is a power of two");
  static_assert(kSlotBytes >= EVRING_SLOT_BYTES_MIN && kSlotBytes <= EVRING_SLOT_BYTES_MAX);

  static constexpr bool kIsStatic = true;
  static constexpr std::uint32_t kPayloadBytesMax =
      kSlotBytes - EVRING_PAYLOAD_OFFSET(static_cast<std::uint32_t>(kSlotFormat));

  static constexpr SlotFormat format() noexcept { return kSlotFormat; }
  static constexpr std::uint32_t slot_bytes() noexcept { return kSlotBytes; }
  static constexpr std::uint32_t payload_offset() noexcept { return kSlotBytes - kPayloadBytesMax; }
  static constexpr std::uint32_t payload_bytes() noexcept { return kPayloadBytesMax; }
};

/// A slot known only once a ring is attached; for tools.
struct AnySlotLayout {
  static constexpr bool kIsStatic = false;
  static constexpr std::uint32_t kPayloadBytesMax = EVRING_SLOT_BYTES_MAX - 8;

  SlotFormat slot_format = SlotFormat::kFull;
  std::uint32_t bytes = EVRING_SLOT_BYTES_DEFAULT;

  constexpr SlotFormat format() const noexcept { return slot_format; }
  constexpr std::uint32_t slot_bytes() const noexcept { return bytes; }
  constexpr std::uint32_t payload_offset() const noexcept {
    return EVRING_PAYLOAD_OFFSET(static_cast<std::uint32_t>(slot_format));
  }
  constexpr std::uint32_t payload_bytes() const noexcept { return bytes - payload_offset(); }
};

using DefaultSlot = SlotLayout<SlotFormat::kFull, EVRING_SLOT_BYTES_DEFAULT>;  ///< 40-byte payload
using BareSlot64 = SlotLayout<SlotFormat::kBare, 64>;                          ///< 56-byte payload
using BareSlot32 = SlotLayout<SlotFormat::kBare, 32>;                          ///< 24-byte payload

/// The layout of a ring's slots, as `Layout`. `who` expects it: "consumer", "producer".
/// @throws std::invalid_argument, naming the ring: its slots are not `Layout`.
template <class Layout>
Layout require_layout(const AnySlotLayout& found, const std::string& ring_name, const char* who) {
  if constexpr (!Layout::kIsStatic) {
    return found;
  } else {
    const Layout layout;
    if (found.format() == layout.format() && found.slot_bytes() == layout.slot_bytes()) {
      return layout;
    }
    throw std::invalid_argument(
        ring_name + ": slots are format " + std::to_string(static_cast<unsigned>(found.format())) +
        " of " + std::to_string(found.slot_bytes()) + " bytes; this " + who + " expects format " +
        std::to_string(static_cast<unsigned>(layout.format())) + " of " +
        std::to_string(layout.slot_bytes()) + " bytes");
  }
}

/// One event as a consumer receives it and a producer offers it.
///
/// sequence      assigned by the producer on publish; ignored when offered.
/// timestamp_ns  CLOCK_MONOTONIC, once per batch; 0 for bare slots; ignored when offered.
/// type          for the user; 0 unless the slot format is kFull.
/// length_bytes  bytes of payload in use; all of them unless the format is kFull.
template <class Layout>
struct BasicEvent {
  std::uint64_t sequence = 0;
  std::uint64_t timestamp_ns = 0;
  std::uint32_t type = 0;
  std::uint32_t length_bytes = 0;
  alignas(8) std::array<std::byte, Layout::kPayloadBytesMax> payload;

  std::span<const std::byte> bytes() const noexcept {
    return {payload.data(), std::min<std::size_t>(length_bytes, payload.size())};
  }

  /// Copies `value` into the payload. `T` is trivially copyable and fits.
  template <class T>
  void set(const T& value) noexcept {
    static_assert(sizeof(T) <= Layout::kPayloadBytesMax);
    std::memcpy(payload.data(), &value, sizeof(T));
    length_bytes = sizeof(T);
  }

  /// The payload as a `T`; bytes past length_bytes are whatever the slot held.
  template <class T>
  T get() const noexcept {
    static_assert(sizeof(T) <= Layout::kPayloadBytesMax);
    T value;
    std::memcpy(&value, payload.data(), sizeof(T));
    return value;
  }
};

/// Bare slots carry no timestamp, type or length: nothing to copy for them.
template <std::uint32_t kSlotBytes>
struct BasicEvent<SlotLayout<SlotFormat::kBare, kSlotBytes>> {
  static constexpr std::uint32_t kPayloadBytes = kSlotBytes - 8;

  std::uint64_t sequence = 0;
  alignas(8) std::array<std::byte, kPayloadBytes> payload;

  std::span<const std::byte> bytes() const noexcept { return payload; }

  template <class T>
  void set(const T& value) noexcept {
    static_assert(sizeof(T) <= kPayloadBytes);
    std::memcpy(payload.data(), &value, sizeof(T));
  }

  template <class T>
  T get() const noexcept {
    static_assert(sizeof(T) <= kPayloadBytes);
    T value;
    std::memcpy(&value, payload.data(), sizeof(T));
    return value;
  }
};

using Event = BasicEvent<DefaultSlot>;
using AnyEvent = BasicEvent<AnySlotLayout>;

}  // namespace evring
