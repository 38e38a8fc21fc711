// SPDX-License-Identifier: MIT
// Events for people and programs to read: hexadecimal, text, lines of JSON. Appends to
// strings of the caller, which stay allocated from event to event. Any thread.
#pragma once

#include <evring/slot.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace evring {

/// Two lower-case digits a byte.
void append_hex(std::string& out, std::span<const std::byte> bytes);
/// For people: printable ASCII in quotes, all else in hexadecimal, 8 bytes a group.
void append_payload(std::string& out, std::span<const std::byte> bytes);

/// One JSON object on one line. Keys are written as they are; values are escaped.
///
///   JsonLine(out).text("ring", name).number("lost", lost).end();
class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) {}

  JsonLine& text(std::string_view key, std::string_view value);
  JsonLine& hex(std::string_view key, std::span<const std::byte> bytes);
  JsonLine& number(std::string_view key, std::uint64_t value);
  JsonLine& boolean(std::string_view key, bool value);

  /// What an event says of itself: sequence, timestamp_ns and type where its slot has them,
  /// length_bytes, payload (hexadecimal).
  template <class Event>
  JsonLine& event(const Event& event, SlotFormat format) {
    number("sequence", event.sequence);
    if constexpr (requires { event.timestamp_ns; }) {
      if (has_timestamp(format)) number("timestamp_ns", event.timestamp_ns);
      if (format == SlotFormat::kFull) number("type", event.type);
    }
    const auto bytes = event.bytes();
    return number("length_bytes", bytes.size()).hex("payload", bytes);
  }

  /// The closing brace and the newline.
  void end();

 private:
  void key(std::string_view key);
  std::string& out_;
  bool is_empty_ = true;
};

}  // namespace evring
