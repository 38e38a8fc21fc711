// SPDX-License-Identifier: MIT
// A vector that grows under those who read it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>

namespace evring {

/// Elements stay where they are until the end. One thread at a time grows it; any thread
/// reads, without a lock, an element below size(), or one whose number it was given by
/// whoever made it.
template <class T>
class StableVector {
 public:
  /// Acquire: an element below it is whole. Pairs with the store of emplace_back().
  std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }

  /// Adds an element that `fill(element, its number)` has made whole before others see it;
  /// none is added when that throws. @return its number.
  template <class Fill>
  std::size_t emplace_back(Fill fill) {
    const std::size_t index = size();
    const Place place = place_of(index);
    if (parts_[place.part] == nullptr) {
      parts_[place.part] = std::make_unique<T[]>(kFirstCount << place.part);
    }
    fill(parts_[place.part][place.index], index);
    // Release: the element before its number. Pairs with the load of size().
    size_.store(index + 1, std::memory_order_release);
    return index;
  }

  T& operator[](std::size_t index) const noexcept {
    const Place place = place_of(index);
    return parts_[place.part][place.index];
  }

 private:
  static constexpr std::size_t kFirstCount = 16;

  struct Place {
    std::size_t part;
    std::size_t index;
  };
  /// Part p holds kFirstCount << p elements.
  static Place place_of(std::size_t index) noexcept {
    const std::size_t from_first = index + kFirstCount;
    const auto part =
        static_cast<std::size_t>(std::bit_width(from_first) - 1 - std::countr_zero(kFirstCount));
    return {part, from_first - (kFirstCount << part)};
  }

  std::array<std::unique_ptr<T[]>, 28> parts_;
  std::atomic<std::size_t> size_{0};
};

}  // namespace evring
