// SPDX-License-Identifier: MIT
// What a slot looks like: fixed at compile time for the hot path, or read from
// the header for tools that take any ring. Both offer the same members, so
// consumer and producer are written once. And an event: where it lies, or copied out.
#pragma once

#include <evring/abi.h>
#include <evring/detail/words.hpp>
#include <evring/memory.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace evring {

enum class SlotFormat : std::uint32_t {
  kBare = EVRING_SLOT_BARE,            ///< payload from byte 8
  kTimestamp = EVRING_SLOT_TIMESTAMP,  ///< timestamp_ns, payload from byte 16
  kFull = EVRING_SLOT_FULL,            ///< timestamp_ns, type, length, payload from byte 24
  kPacked = EVRING_SLOT_PACKED,        ///< no stamp, payload from byte 0; local rings alone
};

/// Packed slots have none: there head says what is published, and the write limit what is whole.
constexpr bool has_stamp(SlotFormat format) noexcept { return format != SlotFormat::kPacked; }
constexpr bool has_timestamp(SlotFormat format) noexcept {
  return format == SlotFormat::kTimestamp || format == SlotFormat::kFull;
}
/// The smallest slot of `format`; the largest is EVRING_SLOT_BYTES_MAX for all.
constexpr std::uint32_t slot_bytes_min(SlotFormat format) noexcept {
  return has_stamp(format) ? EVRING_SLOT_BYTES_MIN : EVRING_PACKED_BYTES_MIN;
}

/// A slot known at compile time. `kSlotBytes` is a power of two, 32 to 4096; 8 to 4096 for kPacked.
template <SlotFormat kSlotFormat, std::uint32_t kSlotBytes>
struct SlotLayout {
  static_assert((kSlotBytes & (kSlotBytes - 1)) == 0, "slot_bytes is a power of two");
  static_assert(kSlotBytes >= slot_bytes_min(kSlotFormat) && kSlotBytes <= EVRING_SLOT_BYTES_MAX);

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
  static constexpr std::uint32_t kPayloadBytesMax = EVRING_SLOT_BYTES_MAX;

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
/// For bursts of small events: all of the slot is payload. See evring-tuning(7) for when.
template <std::uint32_t kSlotBytes>
using PackedSlot = SlotLayout<SlotFormat::kPacked, kSlotBytes>;

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

/// Stores `value`, and zero behind it: nobody publishes what lay on a stack. In words, where it
/// is short: it was made a moment ago, perhaps member by member, and a load wider than the stores
/// that it needs waits until they have left the store queue (see load_private()).
template <std::size_t kBytes, class T>
[[gnu::always_inline]] inline void store_payload(std::array<std::byte, kBytes>& payload,
                                                 const T& value) noexcept {
  static_assert(sizeof(T) <= kBytes && std::is_trivially_copyable_v<T>);
  constexpr std::size_t kWords = sizeof(T) <= 120 ? sizeof(T) / 8 : 0;
  const auto* from = reinterpret_cast<const std::byte*>(std::addressof(value));
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    [[maybe_unused]] const auto move = [&](std::size_t at) {
      const std::uint64_t word = load_private(from + at);
      std::memcpy(payload.data() + at, &word, sizeof(word));
    };
    (move(8 * kIndex), ...);
  }
  (std::make_index_sequence<kWords>{});
  std::memcpy(payload.data() + 8 * kWords, from + 8 * kWords, sizeof(T) - 8 * kWords);
  if constexpr (sizeof(T) < kBytes) std::memset(payload.data() + sizeof(T), 0, kBytes - sizeof(T));
}
template <class T, std::size_t kBytes>
T load_payload(const std::array<std::byte, kBytes>& payload) noexcept {
  static_assert(sizeof(T) <= kBytes && std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(std::addressof(value), payload.data(), sizeof(T));
  return value;
}

/// One event as a consumer receives it and a producer offers it.
///
/// sequence      assigned by the producer on publish; ignored when offered.
/// timestamp_ns  CLOCK_MONOTONIC, once per batch; 0 for slots without; ignored when offered.
/// type          for the user; 0 unless the slot format is kFull.
/// length_bytes  bytes of payload in use; all of them unless the format is kFull.
/// payload       published whole, whatever the length; zero until it is set.
template <class Layout>
struct BasicEvent {
  std::uint64_t sequence = 0;
  std::uint64_t timestamp_ns = 0;
  std::uint32_t type = 0;
  std::uint32_t length_bytes = 0;
  alignas(8) std::array<std::byte, Layout::kPayloadBytesMax> payload{};

  std::span<const std::byte> bytes() const noexcept {
    return {payload.data(), std::min<std::size_t>(length_bytes, payload.size())};
  }

  /// Makes `value`, trivially copyable, the payload, with the padding that it may have;
  /// what it does not fill becomes zero.
  template <class T>
  void set(const T& value) noexcept {
    store_payload(payload, value);
    length_bytes = sizeof(T);
  }
  /// The payload as a `T`; bytes past length_bytes are whatever the slot held.
  template <class T>
  T get() const noexcept {
    return load_payload<T>(payload);
  }
};

/// Bare and packed slots carry no timestamp, type or length: nothing to copy for them.
template <class Layout>
requires(Layout::kIsStatic) && (!has_timestamp(Layout::format())) struct BasicEvent<Layout> {
  std::uint64_t sequence = 0;
  alignas(8) std::array<std::byte, Layout::kPayloadBytesMax> payload{};

  std::span<const std::byte> bytes() const noexcept { return payload; }

  template <class T>
  void set(const T& value) noexcept {
    store_payload(payload, value);
  }
  template <class T>
  T get() const noexcept {
    return load_payload<T>(payload);
  }
};

enum class ReadStatus {
  kEvent,    ///< one event (or more, for a burst) was read
  kEmpty,    ///< the event at the cursor is not published yet
  kOverrun,  ///< the producer lapped the cursor: call resync()
  kGone,     ///< all was read, and the ring's owner has closed it, see (P8)
};

/// An event where it lies. What it returns may be torn until the visit that handed it
/// out reports kEvent.
template <class Layout>
class SlotView {
 public:
  SlotView(const std::byte* slot, std::uint64_t sequence, Layout layout) noexcept
      : slot_(slot), sequence_(sequence), layout_(layout) {}

  std::uint64_t sequence() const noexcept { return sequence_; }
  std::uint64_t timestamp_ns() const noexcept {
    return has_timestamp(layout_.format()) ? at(8) : 0;
  }
  std::uint32_t type() const noexcept {
    return layout_.format() == SlotFormat::kFull ? static_cast<std::uint32_t>(at(16)) : 0;
  }
  /// Never more than the payload holds, whatever the slot says.
  std::uint32_t length_bytes() const noexcept {
    if (layout_.format() != SlotFormat::kFull) return layout_.payload_bytes();
    const auto stated = static_cast<std::uint32_t>(at(16) >> 32);
    return stated < layout_.payload_bytes() ? stated : layout_.payload_bytes();
  }
  /// Payload word `index` (8 bytes each), index < payload_bytes / 8.
  std::uint64_t word(std::size_t index) const noexcept {
    return at(layout_.payload_offset() + 8 * index);
  }
  const std::uint64_t* words() const noexcept {
    return reinterpret_cast<const std::uint64_t*>(slot_ + layout_.payload_offset());
  }

  /// The whole of it, copied out.
  void copy_to(BasicEvent<Layout>& out) const noexcept {
    out.sequence = sequence_;
    if constexpr (requires { out.timestamp_ns; }) {
      out.timestamp_ns = timestamp_ns();
      out.type = type();
      out.length_bytes = length_bytes();
    }
    load_words(out.payload.data(), words(), layout_.payload_bytes() / 8);
  }

 private:
  std::uint64_t at(std::size_t offset) const noexcept {
    return load_relaxed(reinterpret_cast<const std::uint64_t*>(slot_ + offset));
  }

  const std::byte* slot_;
  std::uint64_t sequence_;
  [[no_unique_address]] Layout layout_;
};

using Event = BasicEvent<DefaultSlot>;
using AnyEvent = BasicEvent<AnySlotLayout>;

}  // namespace evring
