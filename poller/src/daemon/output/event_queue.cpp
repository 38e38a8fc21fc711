// SPDX-License-Identifier: MIT
#include "event_queue.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace evring::daemon {
namespace {

constexpr std::size_t kSlotBytes = 128;
constexpr std::uint64_t kWakeShare = 8;  ///< a doorbell when this share of the slots is full

LocalRing make_ring(std::size_t bytes) {
  LocalRingOptions options;
  options.name = "output";
  options.slot = slot_of<SlotLayout<SlotFormat::kBare, kSlotBytes>>();
  options.slot_count = std::bit_ceil(std::max<std::size_t>(bytes / kSlotBytes, 64));
  options.mode = Mode::kGated;
  options.registered_count_max = 1;
  return LocalRing::anonymous(options);
}

}  // namespace

EventQueue::EventQueue(std::size_t bytes)
    : ring_(make_ring(bytes)),
      producer_(ring_, WhenFull::kRefuse),
      registration_(std::make_shared<Registration>(ring_.register_consumer())),
      consumer_(ring_.mapping(), registration_),
      slot_count_(ring_.mapping().geometry().slot_count) {}

bool EventQueue::push(const EventView& event, const Position& position) noexcept {
  Head head{position, event.timestamp_ns, event.type, 0};
  head.position.cursor = event.sequence;
  return push_record(head, event.payload);
}

bool EventQueue::push_end(const Position& position) noexcept {
  return push_record({position, 0, 0, 1}, {});
}

bool EventQueue::push_record(const Head& head, std::span<const std::byte> payload) noexcept {
  Piece piece;
  piece.record_bytes = static_cast<std::uint32_t>(sizeof(Head) + payload.size());
  std::memcpy(piece.bytes.data(), &head, sizeof(Head));
  std::size_t room = piece.bytes.size() - sizeof(Head);
  std::byte* next = piece.bytes.data() + sizeof(Head);
  while (true) {
    const std::size_t count = std::min(room, payload.size());
    if (count != 0) std::memcpy(next, payload.data(), count);
    payload = payload.subspan(count);
    out_pieces_[piece.index].set(piece);
    ++piece.index;
    if (payload.empty()) break;
    room = piece.bytes.size();
    next = piece.bytes.data();
  }
  return producer_.publish_batch({out_pieces_.data(), piece.index}) == piece.index;
}

bool EventQueue::pop(QueuedEvent& out) noexcept {
  BasicEvent<Slot> slot;
  while (consumer_.try_read(slot) == ReadStatus::kEvent) {
    const auto piece = slot.get<Piece>();
    if (!add_piece(piece)) continue;
    Head head;
    std::memcpy(&head, record_.data(), sizeof(Head));
    out.is_end = head.is_end != 0;
    out.position = head.position;
    out.event = {head.position.cursor, head.timestamp_ns, head.type,
                 std::span(record_).subspan(sizeof(Head), piece.record_bytes - sizeof(Head))};
    return true;
  }
  return false;
}

/// @return whether the record is whole.
bool EventQueue::add_piece(const Piece& piece) noexcept {
  if (piece.index == 0) record_size_ = 0;  // what may be left was refused
  std::memcpy(record_.data() + record_size_, piece.bytes.data(), piece.bytes.size());
  record_size_ += piece.bytes.size();
  return record_size_ >= piece.record_bytes;
}

bool EventQueue::arm(std::chrono::microseconds wake) noexcept {
  ArmRequest request;
  request.wake = wake;
  if (wake.count() != 0) {
    request.wake_events =
        static_cast<std::uint16_t>(std::min<std::uint64_t>(slot_count_ / kWakeShare, UINT16_MAX));
  }
  return registration_->arm(request, consumer_.cursor());
}

}  // namespace evring::daemon
