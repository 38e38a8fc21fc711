// SPDX-License-Identifier: MIT
// A set of ring numbers that is cheap to walk, to add to and to take from.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

namespace evring {

/// Unordered; every operation is O(1). One thread.
class RingSet {
 public:
  std::size_t size() const noexcept { return ids_.size(); }
  unsigned operator[](std::size_t i) const noexcept { return ids_[i]; }
  auto begin() const noexcept { return ids_.begin(); }
  auto end() const noexcept { return ids_.end(); }
  bool contains_at(std::size_t i, unsigned id) const noexcept {
    return i < ids_.size() && ids_[i] == id;
  }

  /// Makes room for rings 0 to `count` - 1, so that insert() allocates nothing.
  void reserve(std::size_t count) {
    ids_.reserve(count);
    places_.resize(count, kNowhere);
  }

  void insert(unsigned id) noexcept {
    places_[id] = ids_.size();
    ids_.push_back(id);
  }

  void erase(unsigned id) noexcept {
    const std::size_t place = places_[id];
    ids_[place] = ids_.back();
    places_[ids_[place]] = place;
    ids_.pop_back();
    places_[id] = kNowhere;
  }

  /// The members in turn, for ever. Not on an empty set.
  unsigned next() noexcept {
    if (turn_ >= ids_.size()) turn_ = 0;
    return ids_[turn_++];
  }

 private:
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
  std::vector<unsigned> ids_;
  std::vector<std::size_t> places_;  ///< by ring: its index in ids_
  std::size_t turn_ = 0;
};

}  // namespace evring
