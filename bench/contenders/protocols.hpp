// SPDX-License-Identifier: MIT
// Protocols of broadcast that are known to be fast, each in its plainest good form: one producer,
// one array, payloads filled and read where they lie, nobody attached while it runs, killed or
// woken. What evring is held against beside what Debian packages.
#pragma once

#include <bench/contenders/plain_queues.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace evring::bench {

/// A cursor of the producer, and a gating sequence of each consumer, which it stores once it has
/// read a `kRoomShare`-th of the array and when nothing is left to read; 0: after every batch.
/// The producer looks at them when what it knew is used up.
///
/// Source: M. Thompson et al., "Disruptor", LMAX 2011 (kRoomShare 0); the quarters as in Lee et
/// al., see PlainIndexLane.
template <std::size_t kPayload, std::size_t kRoomShare>
class GatedArray {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  static constexpr Delivery kDelivery = Delivery::kEach;
  using Payload = Words<kPayload>;

  explicit GatedArray(const Case& one)
      : slots_(one.slot_count), mask_(one.slot_count - 1), gates_(one.consumer_count) {}

  class Producer {
   public:
    explicit Producer(GatedArray& queue) : queue_(queue) {}

    template <class Source>
    std::size_t offer(std::uint64_t, std::size_t count, Source& source) noexcept {
      const std::uint64_t next = queue_.cursor_.next, slot_count = queue_.slots_.size();
      if (next + count - queue_.cursor_.other > slot_count) queue_.cursor_.other = slowest();
      const std::uint64_t room = slot_count - (next - queue_.cursor_.other);
      const std::uint64_t end = next + std::min<std::uint64_t>(count, room);
      Slot* const slots = queue_.slots_.data();
      for (std::uint64_t at = next, mask = queue_.mask_; at != end; ++at) {
        slots[at & mask].words = source(at);
      }
      queue_.cursor_.next = end;
      if (end != next) queue_.cursor_.shared.store(end, std::memory_order_release);
      return end - next;
    }

   private:
    std::uint64_t slowest() const noexcept {
      std::uint64_t found = queue_.cursor_.next;
      for (const PlainIndex& gate : queue_.gates_) {
        found = std::min(found, gate.shared.load(std::memory_order_acquire));
      }
      return found;
    }

    GatedArray& queue_;
  };

  class Consumer {
   public:
    Consumer(GatedArray& queue, unsigned index) : queue_(queue), gate_(queue.gates_.at(index)) {}

    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) noexcept {
      const std::uint64_t next = gate_.next;
      if (next == gate_.other) {
        gate_.other = queue_.cursor_.shared.load(std::memory_order_acquire);
        if (next == gate_.other) {
          give_back(next);
          return 0;
        }
      }
      const std::uint64_t end = next + std::min<std::uint64_t>(count, gate_.other - next);
      const Slot* const slots = queue_.slots_.data();
      Sink found = sink;
      for (std::uint64_t at = next, mask = queue_.mask_; at != end; ++at) {
        found(slots[at & mask].words);
      }
      sink = found;
      gate_.next = end;
      if (kRoomShare == 0 || end - given_back_ >= queue_.slots_.size() / (kRoomShare + !kRoomShare))
        give_back(end);
      return end - next;
    }
    std::uint64_t lost() const noexcept { return 0; }

   private:
    void give_back(std::uint64_t end) noexcept {
      if (given_back_ != end) gate_.shared.store(end, std::memory_order_release);
      given_back_ = end;
    }

    GatedArray& queue_;
    PlainIndex& gate_;
    std::uint64_t given_back_ = 0;
  };

 private:
  struct alignas(std::bit_ceil(kPayload)) Slot {
    Payload words;
  };

  std::vector<Slot> slots_;
  const std::uint64_t mask_;
  PlainIndex cursor_;
  std::vector<PlainIndex> gates_;
};

/// A sequence in each slot, stored behind its payload; the producer waits for nobody, and nobody
/// looks twice: what a consumer reads while it is written over is torn, and passes for whole. The
/// bound of what evring's checks cost.
///
/// Source: the reader's half of H.-J. Boehm, "Can seqlocks get along with programming language
/// memory models?", MSPC 2012, left out.
template <std::size_t kPayload>
class UncheckedSlots {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  static constexpr Delivery kDelivery = Delivery::kLossy;
  using Payload = Words<kPayload>;

  explicit UncheckedSlots(const Case& one) : slots_(one.slot_count), mask_(one.slot_count - 1) {}

  class Producer {
   public:
    explicit Producer(UncheckedSlots& queue) : queue_(queue) {}

    template <class Source>
    std::size_t offer(std::uint64_t, std::size_t count, Source& source) noexcept {
      Slot* const slots = queue_.slots_.data();
      for (const std::uint64_t end = next_ + count; next_ != end; ++next_) {
        Slot& slot = slots[next_ & queue_.mask_];
        slot.words = source(next_);
        slot.stamp.store(next_ + 1, std::memory_order_release);
      }
      return count;
    }

   private:
    UncheckedSlots& queue_;
    std::uint64_t next_ = 0;
  };

  class Consumer {
   public:
    Consumer(UncheckedSlots& queue, unsigned) : queue_(queue) {}

    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) noexcept {
      const Slot* const slots = queue_.slots_.data();
      std::size_t done = 0;
      Sink found = sink;
      for (; done < count; ++done, ++next_) {
        const Slot& slot = slots[next_ & queue_.mask_];
        const std::uint64_t stamp = slot.stamp.load(std::memory_order_acquire);
        if (stamp < next_ + 1) break;
        lost_ += stamp - 1 - next_;
        next_ = stamp - 1;
        found(slot.words);
      }
      sink = found;
      return done;
    }
    std::uint64_t lost() const noexcept { return lost_; }

   private:
    UncheckedSlots& queue_;
    std::uint64_t next_ = 0;
    std::uint64_t lost_ = 0;
  };

 private:
  struct alignas(std::bit_ceil(kPayload + 8)) Slot {
    std::atomic<std::uint64_t> stamp{0};
    Payload words;
  };

  std::vector<Slot> slots_;
  const std::uint64_t mask_;
};

}  // namespace evring::bench
