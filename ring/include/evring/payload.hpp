// SPDX-License-Identifier: MIT
// Payloads where they lie: a slot's bytes as a `T`, filled and read by plain code.
//
// What is sound, and why. A producer's slot is nobody else's between its claim and its stamp, or
// head; a gated consumer's until it commits its cursor: there a `T` is an object like any other.
// Elsewhere a consumer may look at a slot while it is written over: what it sees may be torn, and
// is told apart by the check that follows, as for a SlotView. Sanitizers get a private copy, which
// ends with the call: ThreadSanitizer would report a plain access beside those of a lapped reader,
// and AddressSanitizer reports whoever keeps a reference for longer than it may.
// Ordering: P2, P3, C1, C2 and C3 order plain accesses as those of words; see ring/PROTOCOL.md.
#pragma once

#include <evring/detail/words.hpp>
#include <evring/slot.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

namespace evring {

#if defined(EVRING_SANITIZED)
inline constexpr bool kPayloadsInPlace = false;
#else
inline constexpr bool kPayloadsInPlace = true;
#endif

/// The most that a payload may want, whatever its slot gives.
inline constexpr std::size_t kPayloadAlignmentMax = 16;

/// Whether a `T` may lie in slots of `Layout`, which is known at compile time, as for alignment.
template <class T, class Layout>
constexpr bool gives_alignment() noexcept {
  return Layout::payload_offset() % alignof(T) == 0 && Layout::slot_bytes() % alignof(T) == 0 &&
         alignof(T) <= kPayloadAlignmentMax;
}

/// Says at compile time why a `T` cannot lie in a slot of `Layout`.
template <class T, class Layout>
constexpr void require_payload() noexcept {
  static_assert(Layout::kIsStatic,
                "a payload lies in place in slots known at compile time: DefaultSlot, BareSlot64");
  static_assert(std::is_trivially_copyable_v<T>,
                "a payload is trivially copyable: other processes read its bytes");
  static_assert(sizeof(T) <= Layout::kPayloadBytesMax, "the payload is larger than the slot's");
  static_assert(gives_alignment<T, Layout>(),
                "the payload wants more alignment than the slot format gives: 16 bytes with "
                "SlotFormat::kTimestamp, those of the slot but at most 16 with kPacked, 8 with "
                "the others");
}

/// The payload that lies at `payload`, in a slot or in a copy of one.
template <class T>
[[gnu::always_inline]] inline T& payload_at(std::uint64_t* payload) noexcept {
  return *std::launder(reinterpret_cast<T*>(payload));
}
template <class T>
[[gnu::always_inline]] inline const T& payload_at(const std::uint64_t* payload) noexcept {
  return *std::launder(reinterpret_cast<const T*>(payload));
}

/// A `T` outside of a slot, on the heap: AddressSanitizer keeps what was freed there in mind.
template <class T>
struct PayloadCopy {
  static constexpr std::size_t kWordCount = (sizeof(T) + 7) / 8;
  alignas(kPayloadAlignmentMax) std::array<std::uint64_t, kWordCount> words;
  static_assert(alignof(T) <= kPayloadAlignmentMax);

  explicit PayloadCopy(const std::uint64_t* payload) noexcept {
    load_words(reinterpret_cast<std::byte*>(words.data()), payload, kWordCount);
  }
  void store(std::uint64_t* payload) const noexcept {
    store_words(payload, reinterpret_cast<const std::byte*>(words.data()), kWordCount);
  }
};

/// The payloads of consecutive slots as `T`s: `for (T& payload : range)`. By value, so that a
/// store to a payload, which may alias anything, has nothing of it loaded anew.
template <class T, class Layout>
class PayloadRange {
 public:
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    T& operator*() const noexcept { return range_[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    Iterator operator++(int) noexcept { return {range_, index_++}; }
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    friend class PayloadRange;
    Iterator(const PayloadRange& range, std::uint64_t index) noexcept
        : range_(range), index_(index) {}

    PayloadRange range_;
    std::uint64_t index_;
  };

  /// Of `count` slots from that of `first` on, in a ring of `mask` + 1 at `slots`.
  PayloadRange(std::byte* slots, std::uint64_t mask, std::uint64_t first,
               std::uint64_t count) noexcept
      : slots_(slots), mask_(mask), first_(first), count_(count) {
    require_payload<T, Layout>();
  }

  std::uint64_t size() const noexcept { return count_; }
  /// @param index  below size().
  T& operator[](std::uint64_t index) const noexcept {
    std::byte* slot = slots_ + ((first_ + index) & mask_) * Layout::slot_bytes();
    return payload_at<T>(reinterpret_cast<std::uint64_t*>(slot + Layout::payload_offset()));
  }
  Iterator begin() const noexcept { return {*this, 0}; }
  Iterator end() const noexcept { return {*this, count_}; }

 private:
  std::byte* slots_;
  std::uint64_t mask_;
  std::uint64_t first_;
  std::uint64_t count_;
};

/// Has `fill(T&, sequence)` make the payload that begins at `payload`.
template <class T, class Fill>
[[gnu::always_inline]] inline void fill_payload(std::uint64_t* payload, std::uint64_t sequence,
                                                Fill& fill) noexcept {
  if constexpr (kPayloadsInPlace) {
    fill(payload_at<T>(payload), sequence);
  } else {
    const auto copy = std::make_unique<PayloadCopy<T>>(payload);
    fill(payload_at<T>(copy->words.data()), sequence);
    copy->store(payload);
  }
}

/// Calls `look(const T&)` with the payload that begins at `payload`.
template <class T, class Look>
[[gnu::always_inline]] inline decltype(auto) look_at_payload(const std::uint64_t* payload,
                                                             Look& look) {
  if constexpr (kPayloadsInPlace) {
    return look(payload_at<T>(payload));
  } else {
    const auto copy = std::make_unique<const PayloadCopy<T>>(payload);
    return look(payload_at<T>(copy->words.data()));
  }
}

}  // namespace evring
