// SPDX-License-Identifier: MIT
// The consumers of a ring: one that reads wherever it likes, and one that the producer
// of a gated ring does not pass. Both read alike: see detail/consumer_core.hpp.
#pragma once

#include <evring/abi.h>
#include <evring/detail/consumer_core.hpp>
#include <evring/mapping.hpp>
#include <evring/slot.hpp>
#include <evring/status.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace evring {

/// Reads one ring, wherever it likes. One thread per consumer; any number of consumers
/// per ring, and nobody waits for them. A copy goes on from the same cursor.
///
/// `Layout` fixes the slot at compile time (DefaultSlot, BareSlot64, …);
/// AnySlotLayout takes every ring and is slower.
template <class Layout>
class BasicConsumer : public ConsumerCore<Layout> {
 public:
  /// @param sequence  for StartAt::kSequence; from first_sequence to head. One that
  ///                  was overwritten already is an overrun at the first read.
  /// @throws std::invalid_argument  the ring's slots are not `Layout`.
  ///         std::out_of_range      `sequence` is not between first_sequence and head.
  explicit BasicConsumer(Mapping mapping, StartAt start_at = StartAt::kOldest,
                         std::uint64_t sequence = 0)
      : ConsumerCore<Layout>(std::move(mapping)) {
    this->begin(this->find_start(start_at, sequence));
  }
};

/// Reads from where a registration stands and writes its cursor there: the producer of a
/// gated ring does not pass it. It holds the registration until its end. One thread.
/// Moved, not copied, for a cursor has one writer.
template <class Layout>
class BasicGatedConsumer : public ConsumerCore<Layout> {
 public:
  /// @param seat  a Registration or a DeviceCursor of this ring.
  /// @throws std::invalid_argument  the ring's slots are not `Layout`.
  template <class Seat>
  BasicGatedConsumer(Mapping mapping, Seat seat)
      : BasicGatedConsumer(std::move(mapping), std::make_shared<Seat>(std::move(seat))) {}

  /// The same, for who goes on to use the registration, to arm its doorbell say.
  template <class Seat>
  BasicGatedConsumer(Mapping mapping, std::shared_ptr<Seat> seat)
      : ConsumerCore<Layout>(std::move(mapping)), seat_(seat) {
    this->begin(seat->sequence());
    this->commit_to(reinterpret_cast<std::uint64_t*>(&seat->page()->cursor));
  }

  /// Goes on as `other`, with nothing to write to: for who has rings of both kinds.
  explicit BasicGatedConsumer(BasicConsumer<Layout> other) noexcept
      : ConsumerCore<Layout>(std::move(other)) {}

  BasicGatedConsumer(BasicGatedConsumer&& other) noexcept
      : ConsumerCore<Layout>(std::move(other)), seat_(std::move(other.seat_)) {
    other.release();
  }
  BasicGatedConsumer& operator=(BasicGatedConsumer&& other) noexcept {
    if (this == &other) return *this;
    ConsumerCore<Layout>::operator=(std::move(other));
    seat_ = std::move(other.seat_);
    other.release();
    return *this;
  }

 private:
  void release() noexcept { this->commit_to(nullptr); }

  std::shared_ptr<void> seat_;
};

using Consumer = BasicConsumer<DefaultSlot>;
using AnyConsumer = BasicConsumer<AnySlotLayout>;
using GatedConsumer = BasicGatedConsumer<DefaultSlot>;
using AnyGatedConsumer = BasicGatedConsumer<AnySlotLayout>;

}  // namespace evring
