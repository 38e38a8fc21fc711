// SPDX-License-Identifier: MIT
// evring's group as a contender: members share the events of one gated ring, each
// event to exactly one of them.
#pragma once

#include <bench/peers/contender.hpp>
#include <bench/peers/evring_contender.hpp>
#include <evring/group.hpp>
#include <evring/group_member.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace evring::peers {

template <std::size_t kPayload>
class EvringGroup {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  static constexpr Delivery kDelivery = Delivery::kShared;
  using Layout = SlotLayout<SlotFormat::kBare, (kPayload <= 24 ? 32 : 64)>;
  using Payload = Words<kPayload>;
  using EventType = BasicEvent<Layout>;

  explicit EvringGroup(const QueueOptions& options)
      : ring_(LocalRing::anonymous({.slot_count = options.slot_count,
                                    .slot = slot_of<Layout>(),
                                    .mode = Mode::kGated,
                                    .registered_count_max = 1})),
        group_(Group::create(ring_, StartAt::kNewest)) {}

  class Producer {
   public:
    explicit Producer(EvringGroup& queue) : producer_(queue.ring_, WhenFull::kWait) {}

    template <class Source>
    [[gnu::always_inline]] std::size_t offer(std::uint64_t, std::size_t count,
                                             Source& source) noexcept {
      return producer_.publish_from(
          count, [&source](std::uint64_t sequence) noexcept { return source(sequence); });
    }

   private:
    BasicProducer<Layout> producer_;
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

}  // namespace evring::peers
