// SPDX-License-Identifier: MIT
// Stores one event in its slot: fields and payload, then the stamp, where it has one.
//
// What counts is the number of stores, not of bytes: while a line is on its way from
// another core every store to it waits in the store queue, and a core that fills its
// queue stops. So a payload is made in its slot where it can be, by whatever stores the
// compiler has, and copied there in aligned pairs of words (see words.hpp).
// Ordering: P2, explained in ring/PROTOCOL.md.
#pragma once

#include <evring/abi.h>
#include <evring/detail/words.hpp>
#include <evring/memory.hpp>
#include <evring/payload.hpp>
#include <evring/slot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace evring {

/// Where a test may kill the producer. See BasicProducer's `Hook`.
enum class PublishStep {
  kClaimed,  ///< gated: asked for room, and has not looked whether it is there
  kDeclared,
  kPayloadHalf,
  kPayloadStored,
  kReadyStored,
  kHeadStored,
  kStatusOdd,
  kStatusEven,
};

struct NoHook {
  void operator()(PublishStep) const noexcept {}
};

/// What the write loop needs, by value: a store to a slot may alias any member of the
/// producer, and the loop would load them anew for each event.
template <class Layout, class Hook>
class SlotWriter {
 public:
  using EventType = BasicEvent<Layout>;

  SlotWriter(std::byte* slots, std::uint64_t mask, Layout layout,
             std::uint64_t timestamp_ns) noexcept
      : slots_(slots), mask_(mask), layout_(layout), timestamp_ns_(timestamp_ns) {}

  /// The slot of `sequence`: its stamp, or its payload where slots are packed.
  [[gnu::always_inline]] std::uint64_t* at(std::uint64_t sequence) const noexcept {
    return reinterpret_cast<std::uint64_t*>(slots_ + (sequence & mask_) * layout_.slot_bytes());
  }

  /// Calls `feed(*this, slot, sequence)` for `count` slots from `first` on; asks for the
  /// slots of the next run before it stores this one, so that many lines are on their way
  /// at once. A single event has code of its own, with nothing to spill to the stack.
  template <class Feed>
  [[gnu::always_inline]] void walk(std::uint64_t first, std::uint64_t count,
                                   Feed& feed) const noexcept {
    if (count == 1) {
      prefetch_for_write(at(first + prefetch_slots()));
      feed(*this, at(first), first);
      return;
    }
    while (count != 0) {
      const std::uint64_t run = std::min(std::min(count, kRunSlots), slots_to_end(first));
      prefetch_run(first + std::max(run, prefetch_slots()), run);
      std::uint64_t* slot = at(first);
      for (const std::uint64_t end = first + run; first != end; ++first) {
        feed(*this, slot, first);
        slot += layout_.slot_bytes() / 8;
      }
      count -= run;
    }
  }

  /// Copies `event` to the slot of `sequence`. A length past the payload is cut.
  [[gnu::always_inline]] void write(std::uint64_t* to, std::uint64_t sequence,
                                    const EventType& event) const noexcept {
    std::uint32_t type = 0;
    std::uint32_t length_bytes = layout_.payload_bytes();
    if constexpr (requires { event.length_bytes; }) {
      type = event.type;
      length_bytes = std::min(event.length_bytes, length_bytes);
    }
    if constexpr (kFitsRegisters) {
      write_line<kPayloadWords>(to, sequence, event.payload, type, length_bytes);
    } else {
      write_words(to, sequence, event, type, length_bytes);
    }
  }

  /// Stores `payload`, which its owner has in memory, in the slot of `sequence`.
  template <class Payload>
  [[gnu::always_inline]] void write_payload(std::uint64_t* to, std::uint64_t sequence,
                                            const Payload& payload) const noexcept {
    if constexpr (Layout::format() == SlotFormat::kFull && sizeof(Payload) <= kRegisterBytes) {
      write_line<(sizeof(Payload) + 7) / 8>(to, sequence, payload, 0, sizeof(Payload));
    } else if constexpr (kFitsRegisters) {
      // No length says where it ends: the rest is zero, not the tail of a lap ago.
      write_line<kPayloadWords>(to, sequence, payload, 0, sizeof(Payload));
    } else {
      write_bytes(to, sequence, payload);
    }
  }

  /// Whether a `Payload` can be made where it will lie.
  template <class Payload>
  static constexpr bool makes_in_place() noexcept {
    return kPayloadsInPlace && gives_alignment<Payload, Layout>();
  }

  /// Has `source(sequence)` make its payload in the slot of `sequence`; zero behind it, unless a
  /// length says where it ends.
  template <class Payload, class Source>
  [[gnu::always_inline]] void make(std::uint64_t* to, std::uint64_t sequence,
                                   Source& source) const noexcept {
    const auto fill_it = [&source](Payload& payload, std::uint64_t of) {
      ::new (static_cast<void*>(std::addressof(payload))) Payload(source(of));
      if constexpr (Layout::format() != SlotFormat::kFull) {
        __builtin_memset(reinterpret_cast<std::byte*>(std::addressof(payload)) + sizeof(Payload), 0,
                         Layout::kPayloadBytesMax - sizeof(Payload));
      }
    };
    fill<Payload>(to, sequence, fill_it);
  }

  /// Has `fill(T&, sequence)` make the payload where it lies. What it does not set keeps what
  /// the slot held a lap ago.
  template <class T, class Fill>
  [[gnu::always_inline]] void fill(std::uint64_t* to, std::uint64_t sequence,
                                   Fill& fill) const noexcept {
    Hook{}(PublishStep::kDeclared);
    if constexpr (has_timestamp(Layout::format())) store_relaxed(to + 1, timestamp_ns_);
    if constexpr (Layout::format() == SlotFormat::kFull) {
      store_relaxed(to + 2, EVRING_TYPE_LENGTH(0, std::uint32_t{sizeof(T)}));
    }
    Hook{}(PublishStep::kPayloadHalf);
    fill_payload<T>(to + Layout::payload_offset() / 8, sequence, fill);
    Hook{}(PublishStep::kPayloadStored);
    mark_ready(to, sequence);
  }

  /// Asks for the slots of a reservation that follows this one, as many as a run has.
  void prefetch_behind(std::uint64_t first, std::uint64_t count) const noexcept {
    prefetch_run(first + count, std::min(count, kRunSlots));
  }

  /// Lets consumers read `count` slots from `first` on, whose payloads are stored.
  void mark_all_ready(std::uint64_t first, std::uint64_t count) const noexcept {
    for (const std::uint64_t end = first + count; first != end;) {
      std::uint64_t* slot = at(first);
      const std::uint64_t lap_end = first + std::min(end - first, slots_to_end(first));
      for (; first != lap_end; ++first, slot += layout_.slot_bytes() / 8) mark_ready(slot, first);
    }
  }

  /// Lets consumers read `slot`, whose payload is stored; head does where slots are packed.
  [[gnu::always_inline]] void mark_ready(std::uint64_t* slot,
                                         std::uint64_t sequence) const noexcept {
    // (P2) The payload before READY, or old words look new. Pairs with (C1).
    if (has_stamp(layout_.format())) store_release(slot, EVRING_STAMP_READY(sequence));
    Hook{}(PublishStep::kReadyStored);
  }

 private:
  [[gnu::always_inline]] std::uint64_t slots_to_end(std::uint64_t sequence) const noexcept {
    return mask_ + 1 - (sequence & mask_);
  }
  /// From one prefetch to the next: a slot, or a line of packed ones.
  [[gnu::always_inline]] std::uint32_t prefetch_step() const noexcept {
    return has_stamp(layout_.format()) ? layout_.slot_bytes()
                                       : std::max(layout_.slot_bytes(), kLineBytes);
  }
  /// How far ahead, in slots: so many steps.
  [[gnu::always_inline]] std::uint64_t prefetch_slots() const noexcept {
    return kPrefetchSteps * (prefetch_step() / layout_.slot_bytes());
  }
  /// Asks for `count` slots from `first` on, as far as the ring goes, and perhaps for one
  /// more.
  [[gnu::always_inline]] void prefetch_run(std::uint64_t first,
                                           std::uint64_t count) const noexcept {
    const std::size_t step = prefetch_step();
    const auto* slot = reinterpret_cast<const std::byte*>(at(first));
    const auto* const end = slot + std::min(count, slots_to_end(first)) * layout_.slot_bytes();
    for (; slot < end; slot += 2 * step) {
      prefetch_for_write(slot);
      prefetch_for_write(slot + step);
    }
  }

  static constexpr std::uint64_t kPrefetchSteps = 8;
  static constexpr std::uint32_t kLineBytes = 64;
  static constexpr std::uint64_t kRunSlots = 32;
  static constexpr std::size_t kRegisterBytes = 120;  ///< a longer payload is copied by a loop
  static constexpr std::size_t kPayloadWords = Layout::kPayloadBytesMax / 8;
  static constexpr bool kFitsRegisters =
      Layout::kIsStatic && Layout::kPayloadBytesMax <= kRegisterBytes;

  /// Word `kWord` of a slot whose payload is `payload`; 0 past its end.
  template <std::size_t kWord, class Payload>
  [[gnu::always_inline]] std::uint64_t word(const Payload& payload,
                                            std::uint64_t type_length) const noexcept {
    constexpr std::size_t kFieldWords = Layout::payload_offset() / 8;
    if constexpr (kWord < kFieldWords) {
      return kWord == 1 ? timestamp_ns_ : type_length;
    } else {
      constexpr std::size_t kFrom = 8 * (kWord - kFieldWords);
      const auto* bytes = reinterpret_cast<const std::byte*>(std::addressof(payload));
      if constexpr (kFrom + 8 <= sizeof(Payload)) return load_private(bytes + kFrom);
      std::uint64_t value = 0;
      if constexpr (kFrom < sizeof(Payload)) {
        __builtin_memcpy(&value, bytes + kFrom, sizeof(Payload) - kFrom);
      }
      return value;
    }
  }

  /// Words from the last one down, in pairs, then the stamp: a line stored towards its stamp
  /// streams as bare lines do, and stores are what is short. Measured in bench/README.md.
  template <std::size_t kCount, class Payload>
  [[gnu::always_inline]] void write_line(std::uint64_t* to, std::uint64_t sequence,
                                         const Payload& payload, std::uint32_t type,
                                         std::uint32_t length_bytes) const noexcept {
    const std::uint64_t type_length = EVRING_TYPE_LENGTH(type, length_bytes);
    Hook{}(PublishStep::kDeclared);
    constexpr std::size_t kPairs = (Layout::payload_offset() / 8 + kCount - 1) / 2;
    store_pairs(std::make_index_sequence<kPairs>{}, to, payload, type_length);
    Hook{}(PublishStep::kPayloadHalf);
    if constexpr (has_stamp(Layout::format())) {
      store_relaxed(to + 1, word<1>(payload, type_length));
    } else if constexpr (kCount == 1) {
      store_relaxed(to, word<0>(payload, type_length));
    } else {
      store_pair(to, word<0>(payload, type_length), word<1>(payload, type_length));
    }
    Hook{}(PublishStep::kPayloadStored);
    mark_ready(to, sequence);
  }

  template <std::size_t... kPair, class Payload>
  [[gnu::always_inline]] void store_pairs(
      std::index_sequence<kPair...>, [[maybe_unused]] std::uint64_t* to, const Payload& payload,
      [[maybe_unused]] std::uint64_t type_length) const noexcept {
    constexpr std::size_t kPairs = sizeof...(kPair);
    (store_pair(to + 2 * (kPairs - kPair), word<2 * (kPairs - kPair)>(payload, type_length),
                word<2 * (kPairs - kPair) + 1>(payload, type_length)),
     ...);
  }

  /// A payload of many words, as it lies in memory; behind it zero.
  template <class Payload>
  void write_bytes(std::uint64_t* to, std::uint64_t sequence,
                   const Payload& payload) const noexcept {
    constexpr std::size_t kWhole = sizeof(Payload) / 8;
    const auto* bytes = reinterpret_cast<const std::byte*>(std::addressof(payload));
    Hook{}(PublishStep::kDeclared);
    if constexpr (has_timestamp(Layout::format())) store_relaxed(to + 1, timestamp_ns_);
    if constexpr (Layout::format() == SlotFormat::kFull) {
      store_relaxed(to + 2, EVRING_TYPE_LENGTH(0, std::uint32_t{sizeof(Payload)}));
    }
    std::uint64_t* const words = to + Layout::payload_offset() / 8;
    for (std::size_t i = kPayloadWords; i-- > kWhole;) {
      std::uint64_t word = 0;
      if (i == kWhole) __builtin_memcpy(&word, bytes + 8 * kWhole, sizeof(Payload) % 8);
      store_relaxed(words + i, word);
    }
    store_words(words + kWhole / 2, bytes + kWhole / 2 * 8, kWhole - kWhole / 2);
    Hook{}(PublishStep::kPayloadHalf);
    store_words(words, bytes, kWhole / 2);
    Hook{}(PublishStep::kPayloadStored);
    mark_ready(to, sequence);
  }

  void write_words(std::uint64_t* to, std::uint64_t sequence, const EventType& event,
                   std::uint32_t type, std::uint32_t length_bytes) const noexcept {
    Hook{}(PublishStep::kDeclared);
    if (has_timestamp(layout_.format())) store_relaxed(to + 1, timestamp_ns_);
    if (layout_.format() == SlotFormat::kFull) {
      store_relaxed(to + 2, EVRING_TYPE_LENGTH(type, length_bytes));
    }
    const std::size_t word_count = layout_.payload_bytes() / 8;
    std::uint64_t* const words = to + layout_.payload_offset() / 8;
    store_words(words, event.payload.data(), word_count / 2);
    Hook{}(PublishStep::kPayloadHalf);
    store_words(words + word_count / 2, event.payload.data() + word_count / 2 * 8,
                word_count - word_count / 2);
    Hook{}(PublishStep::kPayloadStored);
    mark_ready(to, sequence);
  }

  std::byte* slots_;
  std::uint64_t mask_;
  [[no_unique_address]] Layout layout_;
  std::uint64_t timestamp_ns_;
};

}  // namespace evring
