// SPDX-License-Identifier: MIT
// Where a consumer of evringd puts its events: one small interface, one file for each
// kind. An output never stops its poller, and keeps an account of its own.
#pragma once

#include "../config.hpp"

#include <evring/slot.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace evring::daemon {

/// What became of the events that an output was given. While it runs, `pending` is what
/// is neither delivered nor dropped yet; after finish() it was counted by itself.
struct OutputAccount {
  std::uint64_t received = 0;
  std::uint64_t delivered = 0;  ///< counted, or written to the last byte of their line
  std::uint64_t dropped = 0;    ///< refused by a full queue, or by the disk
  std::uint64_t pending = 0;
  std::uint64_t torn = 0;  ///< lines that were cut short and could not be taken back
  std::string failure;     ///< why events are missing: "thing: reason; remedy"
  std::map<std::uint32_t, std::uint64_t> by_type;  ///< of OutputKind::kCount
  std::uint64_t of_other_types = 0;                ///< past the types that it tells apart

  bool balanced() const noexcept { return received == delivered + dropped + pending; }
};

/// Where in the life of its ring a burst was read.
struct Position {
  std::uint64_t generation = 0;
  std::uint64_t start = 0;   ///< where the consumer started in this generation
  std::uint64_t cursor = 0;  ///< where it stands
  std::uint64_t lost = 0;    ///< how many it has lost in this generation so far
};

/// One event, whatever its ring's slots are like. Valid as long as its burst.
struct EventView {
  std::uint64_t sequence = 0;
  std::uint64_t timestamp_ns = 0;
  std::uint32_t type = 0;
  std::span<const std::byte> payload;

  std::span<const std::byte> bytes() const noexcept { return payload; }
};

/// A burst of events without its layout.
class BurstView {
 public:
  template <class Layout>
  BurstView(std::span<const BasicEvent<Layout>> events, const Position& position)
      : position_(position), events_(events.data()), count_(events.size()), at_(&view<Layout>) {}

  const Position& position() const noexcept { return position_; }
  std::size_t size() const noexcept { return count_; }
  EventView operator[](std::size_t index) const noexcept { return at_(events_, index); }

 private:
  template <class Layout>
  static EventView view(const void* events, std::size_t index) noexcept {
    const auto& event = static_cast<const BasicEvent<Layout>*>(events)[index];
    return {event.sequence, event.timestamp_ns, event.type, event.bytes()};
  }

  Position position_;
  const void* events_;
  std::size_t count_;
  EventView (*at_)(const void*, std::size_t) noexcept;
};

class Output {
 public:
  using Clock = std::chrono::steady_clock;
  /// Prints a line for people. Any thread; never blocks.
  using Print = std::function<void(const std::string& line)>;

  virtual ~Output() = default;

  /// Takes a burst. The poller's thread; never blocks.
  virtual void take(const BurstView& burst) = 0;
  /// The ring ended, or the consumer does. The poller's thread, after the last take() of
  /// that generation.
  virtual void end_generation(const Position&) {}
  /// Delivers what is pending, until `deadline` at most. The poller's thread, at its end.
  virtual void finish(Clock::time_point /*deadline*/) {}
  /// Ends finish() soon, whatever is pending. Any thread, at any time.
  virtual void hurry() noexcept {}
  /// Any thread, at any time; exact after finish().
  virtual OutputAccount account() const = 0;
};

/// As `config` says. @throws std::system_error naming the file that cannot be written.
std::unique_ptr<Output> make_output(const ConsumerConfig& config, Output::Print print);

}  // namespace evring::daemon
