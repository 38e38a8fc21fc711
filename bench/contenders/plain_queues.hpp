// SPDX-License-Identifier: MIT
// Queues of one producer and one consumer as plain as they come: no stamps, nobody is
// lapped, attached or woken. The best of them is the ceiling of throughput: what these
// cores pass on when a queue asks for nothing more.
#pragma once

#include <bench/contenders/queue.hpp>
#include <evring/memory.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace evring::bench {

/// An index with its owner's private words beside it.
struct alignas(2 * kLineBytes) PlainIndex {
  std::atomic<std::uint64_t> shared{0};  ///< as the other side sees it
  std::uint64_t next = 0;                ///< the owner's own
  std::uint64_t other = 0;               ///< the other's, as last seen
};

/// Lamport's queue with each side's copy of the other's index. Indices are published once
/// a burst; room is given back once a `kRoomShare`-th of the ring was read, and when nothing
/// is left to read. A consumer that found nothing lets `kPatience` pauses pass before it
/// takes the producer's line again.
///
/// Source: P. P. C. Lee et al., "A lock-free, cache-efficient multi-core synchronization
/// mechanism", ICC 2010.
template <std::size_t kPayload, std::size_t kSlotAlign, std::size_t kRoomShare, unsigned kPatience>
class PlainIndexLane {
 public:
  using Payload = Words<kPayload>;

  explicit PlainIndexLane(std::size_t slot_count)
      : slots_(slot_count),
        mask_(slot_count - 1),
        give_back_at_(kRoomShare == 0 ? 1 : slot_count / kRoomShare) {}

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) noexcept {
    const std::uint64_t next = tail_.next;
    if (next + count - tail_.other > slots_.size()) {
      tail_.other = head_.shared.load(std::memory_order_acquire);
    }
    const std::uint64_t room = slots_.size() - (next - tail_.other);
    const auto done = static_cast<std::size_t>(std::min<std::uint64_t>(count, room));
    for (std::size_t i = 0; i < done; ++i) slots_[(next + i) & mask_].words = source(first + i);
    tail_.next = next + done;
    if (done != 0) tail_.shared.store(tail_.next, std::memory_order_release);
    return done;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) noexcept {
    const std::uint64_t next = head_.next;
    if (next == head_.other) {
      head_.other = tail_.shared.load(std::memory_order_acquire);
      if (next == head_.other) {
        give_back();
        for (unsigned i = 0; i < kPatience; ++i) cpu_relax();
        return 0;
      }
    }
    const auto done = static_cast<std::size_t>(std::min<std::uint64_t>(count, head_.other - next));
    for (std::size_t i = 0; i < done; ++i) sink(slots_[(next + i) & mask_].words);
    head_.next = next + done;
    if (head_.next - given_back_ >= give_back_at_) give_back();
    return done;
  }

 private:
  struct alignas(kSlotAlign) Slot {
    Payload words;
  };

  void give_back() noexcept {
    if (given_back_ != head_.next) head_.shared.store(head_.next, std::memory_order_release);
    given_back_ = head_.next;
  }

  std::vector<Slot> slots_;
  const std::uint64_t mask_;
  const std::uint64_t give_back_at_;
  PlainIndex tail_;               // the producer's
  PlainIndex head_;               // the consumer's
  std::uint64_t given_back_ = 0;  // the consumer's
};

/// A word in each slot says whether it is full; neither side ever reads an index of the
/// other.
///
/// Source: J. Giacomoni et al., "FastForward for efficient pipeline parallelism", PPoPP 2008.
template <std::size_t kPayload>
class PlainNullSlotLane {
 public:
  using Payload = Words<kPayload>;

  explicit PlainNullSlotLane(std::size_t slot_count) : slots_(slot_count), mask_(slot_count - 1) {}

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) noexcept {
    std::size_t done = 0;
    for (; done < count; ++done) {
      Slot& slot = slots_[tail_.next & mask_];
      if (slot.full.load(std::memory_order_acquire)) break;
      slot.words = source(first + done);
      slot.full.store(1, std::memory_order_release);
      ++tail_.next;
    }
    return done;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) noexcept {
    std::size_t done = 0;
    for (; done < count; ++done) {
      Slot& slot = slots_[head_.next & mask_];
      if (!slot.full.load(std::memory_order_acquire)) break;
      sink(slot.words);
      slot.full.store(0, std::memory_order_release);
      ++head_.next;
    }
    return done;
  }

 private:
  struct alignas(kPayload <= 24 ? 32 : kLineBytes) Slot {
    Payload words;
    std::atomic<std::uint64_t> full{0};
  };

  std::vector<Slot> slots_;
  const std::uint64_t mask_;
  PlainIndex tail_;
  PlainIndex head_;
};

}  // namespace evring::bench
