// SPDX-License-Identifier: MIT
// Every way in and every way out of a gated ring, as a user writes it: a payload made by its
// constructor, by a loop, or word by word. Each is a function of its own, called for a run of
// events, so that any way in goes with any way out.
#pragma once

#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace evring::bench {

inline constexpr std::size_t kRun = 32;  ///< events a burst

template <class WordType, std::size_t kWordCount>
struct Payload {
  using Word = WordType;
  static constexpr std::size_t kCount = kWordCount;
  std::array<Word, kCount> words;
};

template <class T>
constexpr typename T::Word word_of(std::uint64_t sequence, std::size_t index) noexcept {
  return static_cast<typename T::Word>(sequence + index * 0x0e3779b1);
}

/// All members at once, as an aggregate has it.
struct ByConstructor {
  static constexpr const char* kName = "constructor";

  template <class T>
  static T make(std::uint64_t sequence) noexcept {
    return [sequence]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      return T{{word_of<T>(sequence, kIndex)...}};
    }
    (std::make_index_sequence<T::kCount>{});
  }
  template <class T>
  static void fill(T& payload, std::uint64_t sequence) noexcept {
    payload = make<T>(sequence);
  }
};

/// One member after the other.
struct ByLoop {
  static constexpr const char* kName = "loop";

  template <class T>
  static void fill(T& payload, std::uint64_t sequence) noexcept {
    for (std::size_t i = 0; i < T::kCount; ++i) payload.words[i] = word_of<T>(sequence, i);
  }
  template <class T>
  static T make(std::uint64_t sequence) noexcept {
    T payload;
    fill(payload, sequence);
    return payload;
  }
};

template <class T>
using LayoutOf =
    SlotLayout<SlotFormat::kBare,
               std::bit_ceil(static_cast<std::uint32_t>(sizeof(T) + 8 < 32 ? 32 : sizeof(T) + 8))>;

template <class T>
struct Ends {
  using Layout = LayoutOf<T>;
  using Event = BasicEvent<Layout>;

  explicit Ends(std::uint64_t slot_count)
      : ring(LocalRing::anonymous({.slot_count = slot_count,
                                   .slot = {Layout::format(), Layout::slot_bytes()},
                                   .mode = Mode::kGated,
                                   .registered_count_max = 1})),
        producer(ring, WhenFull::kWait),
        consumer(ring.mapping(), ring.register_consumer(StartAt::kOldest)) {}

  LocalRing ring;
  BasicProducer<Layout> producer;
  BasicGatedConsumer<Layout> consumer;
  std::array<Event, kRun> in{};
  std::array<Event, kRun> out{};
};

// ---- in: `count` events, at most kRun ------------------------------------------

template <class T, class Style>
void publish_from(Ends<T>& ends, std::size_t count) {
  ends.producer.publish_from(count,
                             [](std::uint64_t of) noexcept { return Style::template make<T>(of); });
}
template <class T, class Style>
void publish_in_place(Ends<T>& ends, std::size_t count) {
  ends.producer.template publish_in_place<T>(
      count, [](T& payload, std::uint64_t of) { Style::fill(payload, of); });
}
template <class T, class Style>
void publish_in_place_each(Ends<T>& ends, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    ends.producer.template publish_in_place<T>(
        1, [](T& payload, std::uint64_t of) { Style::fill(payload, of); });
  }
}
template <class T, class Style>
void reserve_payloads(Ends<T>& ends, std::size_t count) {
  auto slots = ends.producer.reserve(count);
  std::uint64_t sequence = slots.sequence(0);
  for (T& payload : slots.template payloads<T>()) Style::fill(payload, sequence++);
  slots.commit();
}
template <class T, class Style>
void publish_batch(Ends<T>& ends, std::size_t count) {
  const std::uint64_t first = ends.producer.next_sequence();
  for (std::size_t i = 0; i < count; ++i) ends.in[i].set(Style::template make<T>(first + i));
  ends.producer.publish_batch(std::span(ends.in).first(count));
}
template <class T, class Style>
void publish_each(Ends<T>& ends, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    ends.in[0].set(Style::template make<T>(ends.producer.next_sequence()));
    ends.producer.publish(ends.in[0]);
  }
}
template <class T>
void reserve_words(Ends<T>& ends, std::size_t count) {
  auto slots = ends.producer.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    for (std::size_t word = 0; word < T::kCount; ++word) {
      slots.set_word(i, word, word_of<T>(slots.sequence(i), word));
    }
  }
  slots.commit();
}

// ---- out: what is there, up to kRun; wrong bits are added to `wrong` -----------

struct Found {
  std::uint64_t next = 0;
  std::uint64_t wrong = 0;

  template <class T>
  void check(const T& payload) noexcept {
    for (std::size_t i = 0; i < T::kCount; ++i) wrong |= payload.words[i] ^ word_of<T>(next, i);
    ++next;
  }
};

template <class T>
void try_read(Ends<T>& ends, Found& found) {
  Found now = found;
  for (std::size_t i = 0; i < kRun && ends.consumer.try_read(ends.out[0]) == ReadStatus::kEvent;
       ++i) {
    now.check(ends.out[0].template get<T>());
  }
  found = now;
}
template <class T>
void read_burst(Ends<T>& ends, Found& found) {
  Found now = found;
  const std::size_t count = ends.consumer.read_burst(ends.out).count;
  for (std::size_t i = 0; i < count; ++i) now.check(ends.out[i].template get<T>());
  found = now;
}
template <class T>
void visit_payloads(Ends<T>& ends, Found& found) {
  Found now = found;
  ends.consumer.template visit_payloads<T>(
      kRun, [&now](const T& payload) noexcept { now.check(payload); });
  found = now;
}
template <class T>
void visit_payloads_each(Ends<T>& ends, Found& found) {
  Found now = found;
  const auto check = [&now](const T& payload) noexcept { now.check(payload); };
  for (std::size_t i = 0; i < kRun; ++i) {
    if (ends.consumer.template visit_payloads<T>(1, check).count == 0) break;
  }
  found = now;
}
template <class T>
void visit_words(Ends<T>& ends, Found& found) {
  Found now = found;
  ends.consumer.visit_burst(kRun, [&now](const auto& view) noexcept {
    for (std::size_t i = 0; i < T::kCount; ++i) now.wrong |= view.word(i) ^ word_of<T>(now.next, i);
    ++now.next;
  });
  found = now;
}
template <class T>
void visit_copies(Ends<T>& ends, Found& found) {
  Found now = found;
  ends.consumer.visit_burst(
      kRun,
      [](const auto& view) noexcept {
        T copy;
        for (std::size_t i = 0; i < T::kCount; ++i) copy.words[i] = view.word(i);
        return copy;
      },
      [&now](const T& copy) noexcept { now.check(copy); });
  found = now;
}

template <class T>
struct WayIn {
  const char* name;
  const char* style;
  void (*put)(Ends<T>&, std::size_t);
};
template <class T>
struct WayOut {
  const char* name;
  void (*take)(Ends<T>&, Found&);
};

template <class T>
constexpr bool has_whole_words() noexcept {
  return sizeof(typename T::Word) == 8;
}

template <class T, class Style>
void add_ways_in(std::vector<WayIn<T>>& ways) {
  ways.push_back({"publish_in_place", Style::kName, publish_in_place<T, Style>});
  ways.push_back({"publish_in_place, each", Style::kName, publish_in_place_each<T, Style>});
  ways.push_back({"reserve, payloads", Style::kName, reserve_payloads<T, Style>});
  ways.push_back({"publish_from", Style::kName, publish_from<T, Style>});
  ways.push_back({"set, publish_batch", Style::kName, publish_batch<T, Style>});
  ways.push_back({"set, publish", Style::kName, publish_each<T, Style>});
}
template <class T>
std::vector<WayIn<T>> ways_in() {
  std::vector<WayIn<T>> ways;
  add_ways_in<T, ByConstructor>(ways);
  add_ways_in<T, ByLoop>(ways);
  if constexpr (has_whole_words<T>())
    ways.push_back({"reserve, set_word", "words", reserve_words<T>});
  return ways;
}
template <class T>
std::vector<WayOut<T>> ways_out() {
  std::vector<WayOut<T>> ways = {{"visit_payloads", visit_payloads<T>},
                                 {"visit_payloads, each", visit_payloads_each<T>},
                                 {"try_read, get", try_read<T>},
                                 {"read_burst, get", read_burst<T>}};
  if constexpr (has_whole_words<T>()) {
    ways.push_back({"visit_burst, words", visit_words<T>});
    ways.push_back({"visit_burst, copied", visit_copies<T>});
  }
  return ways;
}

}  // namespace evring::bench
