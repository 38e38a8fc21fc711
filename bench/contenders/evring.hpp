// SPDX-License-Identifier: MIT
// evring's local ring as a contender: overwrite and gated, by copy and in place; and a group.
#pragma once

#include <bench/contenders/queue.hpp>
#include <evring/consumer.hpp>
#include <evring/group.hpp>
#include <evring/group_member.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace evring::bench {

enum class Access {
  kCopy,
  kWords,  ///< publish_from() and words of a view: nothing in memory but the slot
  kPlain,  ///< publish_in_place() and visit_payloads(): plain code, in the slot
};

/// Makes the payload of `sequence` where the producer will take it from, as a program
/// would that has its data at hand.
template <class Payload, class Event, class Source>
void fill_event(Event& event, Source& source, std::uint64_t sequence) noexcept {
  ::new (static_cast<void*>(event.payload.data())) Payload(source(sequence));
  if constexpr (requires { event.length_bytes; }) event.length_bytes = sizeof(Payload);
}

/// The payload where the consumer put it.
template <class Payload, class Event>
const Payload& payload_of(const Event& event) noexcept {
  return *std::launder(reinterpret_cast<const Payload*>(event.payload.data()));
}

/// A producer of `ring`, the same for all rings of that layout.
template <class Layout, std::size_t kPayload, Access kAccess, bool kDoorbells = true>
class EvringProducer {
 public:
  explicit EvringProducer(const LocalRing& ring) : producer_(ring, WhenFull::kWait) {}

  template <class Source>
  [[gnu::always_inline]] std::size_t offer(std::uint64_t first, std::size_t count,
                                           Source& source) noexcept {
    using Payload = Words<kPayload>;
    if constexpr (kAccess == Access::kWords) {
      return producer_.publish_from(
          count, [&source](std::uint64_t sequence) noexcept { return source(sequence); });
    }
    if constexpr (kAccess == Access::kPlain) {
      return producer_.template publish_in_place<Payload>(
          count, [&source](Payload& payload, std::uint64_t sequence) noexcept {
            payload = source(sequence);
          });
    }
    if (count == 1) {
      fill_event<Payload>(events_[0], source, first);
      return producer_.publish(events_[0]) == PublishStatus::kPublished ? 1 : 0;
    }
    for (std::size_t i = 0; i < count; ++i) fill_event<Payload>(events_[i], source, first + i);
    return producer_.publish_batch(std::span(events_).first(count));
  }
  std::uint64_t published() const noexcept { return producer_.published(); }
  std::uint64_t doorbells_rung() const noexcept { return producer_.doorbells_rung(); }

 private:
  BasicProducer<Layout, NoHook, kDoorbells> producer_;
  std::array<BasicEvent<Layout>, kBurstMax> events_{};
};

/// `kPayload` may be less than the slot holds. In overwrite mode the producer never
/// waits and the consumer resumes at the oldest safe event after a loss.
template <class Layout, std::size_t kPayload, Mode kMode, Access kAccess = Access::kCopy>
class EvringQueue {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  static constexpr Delivery kDelivery = kMode == Mode::kGated ? Delivery::kEach : Delivery::kLossy;
  using Payload = Words<kPayloadBytes>;
  using EventType = BasicEvent<Layout>;

  explicit EvringQueue(const Case& one)
      : ring_(LocalRing::anonymous({.slot_count = one.slot_count,
                                    .slot = slot_of<Layout>(),
                                    .mode = kMode,
                                    .registered_count_max = one.consumer_count,
                                    .huge_pages = one.huge_pages})) {}

  struct Producer : EvringProducer<Layout, kPayload, kAccess> {
    explicit Producer(EvringQueue& queue)
        : EvringProducer<Layout, kPayload, kAccess>(queue.ring_) {}
  };

  class Consumer {
   public:
    explicit Consumer(EvringQueue& queue, unsigned, StartAt start_at = StartAt::kNewest)
        : consumer_(consumer_of(queue.ring_, start_at)) {}

    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) noexcept {
      if constexpr (kAccess != Access::kCopy) return visit(count, sink);
      if (count == 1) return take_one(sink);
      Burst burst = consumer_.read_burst(std::span(events_).first(count));
      while (burst.status == ReadStatus::kOverrun) [[unlikely]] {
          consumer_.resync(ResyncTo::kOldest);
          burst = consumer_.read_burst(std::span(events_).first(count));
        }
      for (std::size_t i = 0; i < burst.count; ++i) sink(payload_of<Payload>(events_[i]));
      return burst.count;
    }

    std::uint64_t lost() const noexcept { return consumer_.lost(); }

   private:
    template <class Sink>
    std::size_t take_one(Sink& sink) noexcept {
      ReadStatus status = consumer_.try_read(events_[0]);
      while (status == ReadStatus::kOverrun) [[unlikely]] {
          consumer_.resync(ResyncTo::kOldest);
          status = consumer_.try_read(events_[0]);
        }
      if (status != ReadStatus::kEvent) return 0;
      sink(payload_of<Payload>(events_[0]));
      return 1;
    }

    /// The sink gets back what a copy of it found, once a burst is known to be whole.
    template <class Sink>
    std::size_t visit(std::size_t count, Sink& sink) noexcept {
      for (;;) {
        Sink found = sink;
        const Burst burst = visit_with(found, count);
        if (burst.status != ReadStatus::kOverrun) [[likely]] {
          sink = found;
          return burst.count;
        }
        consumer_.resync(ResyncTo::kOldest);
      }
    }

    template <class Sink>
    [[gnu::always_inline]] Burst visit_with(Sink& found, std::size_t count) noexcept {
      if constexpr (kAccess == Access::kPlain) {
        return consumer_.template visit_payloads<Payload>(
            count, [&found](const Payload& payload) noexcept { found(payload); });
      } else {
        return consumer_.visit_burst(count, [&found](const auto& view) noexcept {
          found.count(found.examine([view](std::size_t i) noexcept { return view.word(i); }));
        });
      }
    }

    static auto consumer_of(LocalRing& ring, StartAt start_at) {
      if constexpr (kMode == Mode::kGated) {
        return BasicGatedConsumer<Layout>(ring.mapping(), ring.register_consumer(start_at));
      } else {
        return BasicConsumer<Layout>(ring.mapping(), start_at);
      }
    }

    decltype(consumer_of(std::declval<LocalRing&>(), StartAt{})) consumer_;
    std::array<EventType, kBurstMax> events_{};
  };

 private:
  LocalRing ring_;
};

/// The bare slot that `kPayload` asks for: 16 bytes in 32, 56 bytes in 64.
template <std::size_t kPayload, Mode kMode, Access kAccess = Access::kCopy>
using EvringBare = EvringQueue<SlotLayout<SlotFormat::kBare, (kPayload <= 24 ? 32 : 64)>, kPayload,
                               kMode, kAccess>;

/// Packed slots, which are all payload: 16 bytes in 16, 56 bytes in 64.
template <std::size_t kPayload, Mode kMode>
using EvringPacked =
    EvringQueue<PackedSlot<(kPayload <= 16 ? 16 : 64)>, kPayload, kMode, Access::kPlain>;

/// The default slot, with timestamp, type and length beside 40 bytes of payload.
template <Mode kMode>
using EvringDefault = EvringQueue<DefaultSlot, 40, kMode>;

/// evring's group: members share the events of one gated ring, each event to one of them.
template <std::size_t kPayload>
class EvringGroup {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  static constexpr Delivery kDelivery = Delivery::kShared;
  using Layout = SlotLayout<SlotFormat::kBare, (kPayload <= 24 ? 32 : 64)>;
  using Payload = Words<kPayload>;
  using EventType = BasicEvent<Layout>;

  explicit EvringGroup(const Case& one)
      : ring_(LocalRing::anonymous({.slot_count = one.slot_count,
                                    .slot = slot_of<Layout>(),
                                    .mode = Mode::kGated,
                                    .registered_count_max = 1})),
        group_(Group::create(ring_, StartAt::kNewest)) {}

  struct Producer : EvringProducer<Layout, kPayload, Access::kWords> {
    explicit Producer(EvringGroup& queue)
        : EvringProducer<Layout, kPayload, Access::kWords>(queue.ring_) {}
  };

  class Consumer {
   public:
    Consumer(EvringGroup& queue, unsigned) : member_(queue.group_) {}

    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) noexcept {
      const Burst burst = member_.read_burst(std::span(events_).first(count));
      for (std::size_t i = 0; i < burst.count; ++i) sink(payload_of<Payload>(events_[i]));
      return burst.count;
    }

    std::uint64_t lost() const noexcept { return member_.lost(); }

   private:
    GroupMember<Layout> member_;
    std::array<EventType, kBurstMax> events_{};
  };

 private:
  LocalRing ring_;
  Group group_;
};

}  // namespace evring::bench
