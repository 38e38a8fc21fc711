// SPDX-License-Identifier: MIT
// Events on their way from a poller to the thread that writes them: a gated ring of our
// own, whose producer refuses and counts when it is full, and so never waits.
// An event is cut into as many slots as it needs; one that finds room for its first slots
// alone is refused as a whole, and the reader skips what it left.
#pragma once

#include "output.hpp"

#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace evring::daemon {

/// What comes out: an event, or the end of a generation.
struct QueuedEvent {
  bool is_end = false;
  Position position;  ///< for an event, cursor is its sequence
  EventView event;    ///< its payload is valid until the next pop()
};

class EventQueue {
 public:
  /// @throws std::system_error when the memory cannot be had.
  explicit EventQueue(std::size_t bytes);

  /// The poller's thread. @return false: full, and nothing of it will come out.
  bool push(const EventView& event, const Position& position) noexcept;
  bool push_end(const Position& position) noexcept;

  /// The reading thread, as all below. @return false: empty.
  bool pop(QueuedEvent& out) noexcept;
  /// Asks for a doorbell `wake` after the next event, sooner when many come.
  /// @return false: there are some already.
  bool arm(std::chrono::microseconds wake) noexcept;
  void disarm() noexcept { registration_->disarm(); }
  int doorbell_fd() const noexcept { return registration_->doorbell_fd(); }
  int timer_fd() const noexcept { return registration_->timer_fd(); }

 private:
  using Slot = SlotLayout<SlotFormat::kBare, 128>;
  struct Head {
    Position position;
    std::uint64_t timestamp_ns = 0;
    std::uint32_t type = 0;
    std::uint32_t is_end = 0;
  };
  struct Piece {
    std::uint32_t index = 0;  ///< of this piece in its record
    std::uint32_t record_bytes = 0;
    std::array<std::byte, Slot::kPayloadBytesMax - 8> bytes{};
  };
  static constexpr std::size_t kRecordBytesMax = sizeof(Head) + EVRING_SLOT_BYTES_MAX;
  static constexpr std::size_t kPiecesMax =
      (kRecordBytesMax + sizeof(Piece::bytes) - 1) / sizeof(Piece::bytes);

  bool push_record(const Head& head, std::span<const std::byte> payload) noexcept;
  bool add_piece(const Piece& piece) noexcept;

  LocalRing ring_;
  BasicProducer<Slot> producer_;
  std::shared_ptr<Registration> registration_;  ///< shared with the consumer
  BasicGatedConsumer<Slot> consumer_;
  std::uint64_t slot_count_;
  std::array<BasicEvent<Slot>, kPiecesMax> out_pieces_;              ///< of push
  std::array<std::byte, kPiecesMax * sizeof(Piece::bytes)> record_;  ///< of pop
  std::size_t record_size_ = 0;                                      ///< bytes of it that have come
};

}  // namespace evring::daemon
