// SPDX-License-Identifier: MIT
// Sets of ring numbers that are cheap to walk, to add to and to take from.
#pragma once

#include <evring/memory.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
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

  /// Index of a member, for what is kept beside the set.
  std::size_t place_of(unsigned id) const noexcept { return places_[id]; }

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

/// Quiet rings, each with the one word that changes when it gets work: the stamp of the
/// slot at its cursor, beside what that word said while the ring was empty. A glance at
/// a ring is two loads, of a dense array and of a line that stays in this core's cache
/// until its producer writes it. One thread.
class QuietSet {
 public:
  static constexpr std::size_t kGlancesMax = 4;  ///< in one sweep

  /// Members of one sweep whose word changed.
  struct Changed {
    std::array<unsigned, kGlancesMax> ids;
    std::size_t count = 0;
  };

  std::size_t size() const noexcept { return ids_.size(); }
  unsigned next() noexcept { return ids_.next(); }

  void reserve(std::size_t count) {
    ids_.reserve(count);
    words_.reserve(count);
  }

  /// `seen` is what `word` said when the ring was found empty, at the latest.
  void insert(unsigned id, const std::uint64_t* word, std::uint64_t seen) noexcept {
    ids_.insert(id);
    words_.push_back({word, seen});
  }
  void renew(unsigned id, const std::uint64_t* word, std::uint64_t seen) noexcept {
    words_[ids_.place_of(id)] = {word, seen};
  }
  void erase(unsigned id) noexcept {
    words_[ids_.place_of(id)] = words_.back();
    words_.pop_back();
    ids_.erase(id);
  }

  /// Glances at the next `count` members (at most kGlancesMax), in turn: each of n members
  /// once in n / count sweeps.
  Changed sweep(std::size_t count) noexcept {
    Changed changed;
    for (std::size_t left = std::min({size(), count, kGlancesMax}); left != 0; --left) {
      if (turn_ >= words_.size()) turn_ = 0;
      const Watched& each = words_[turn_];
      if (load_relaxed(each.word) != each.seen) [[unlikely]]
        changed.ids[changed.count++] = ids_[turn_];
      ++turn_;
    }
    return changed;
  }

 private:
  struct Watched {
    const std::uint64_t* word;
    std::uint64_t seen;
  };

  RingSet ids_;
  std::vector<Watched> words_;  ///< parallel to ids_
  std::size_t turn_ = 0;
};

}  // namespace evring
