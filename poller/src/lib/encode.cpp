// SPDX-License-Identifier: MIT
#include <evring/poller/encode.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace evring {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

void append_byte(std::string& out, unsigned byte) {
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

bool is_printable(std::byte byte) noexcept {
  return byte >= std::byte{0x20} && byte < std::byte{0x7f};
}

/// JSON asks for what is escaped here; bytes past ASCII are taken as Latin-1, so that the
/// line is UTF-8 whatever they were.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (is_printable(std::byte{byte})) {
      out += c;
    } else {
      out += "\\u00";
      append_byte(out, byte);
    }
  }
}

}  // namespace

void append_hex(std::string& out, std::span<const std::byte> bytes) {
  out.reserve(out.size() + 2 * bytes.size());
  for (const std::byte byte : bytes) append_byte(out, std::to_integer<unsigned>(byte));
}

void append_payload(std::string& out, std::span<const std::byte> bytes) {
  if (!bytes.empty() && std::all_of(bytes.begin(), bytes.end(), is_printable)) {
    out += '"';
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    out += '"';
    return;
  }
  constexpr std::size_t kGroupBytes = 8;
  for (std::size_t at = 0; at < bytes.size(); at += kGroupBytes) {
    if (at != 0) out += ' ';
    append_hex(out, bytes.subspan(at, std::min(kGroupBytes, bytes.size() - at)));
  }
}

void JsonLine::key(std::string_view key) {
  out_ += is_empty_ ? "{\"" : ",\"";
  is_empty_ = false;
  out_ += key;
  out_ += "\":";
}

JsonLine& JsonLine::text(std::string_view key, std::string_view value) {
  this->key(key);
  out_ += '"';
  append_escaped(out_, value);
  out_ += '"';
  return *this;
}

JsonLine& JsonLine::hex(std::string_view key, std::span<const std::byte> bytes) {
  this->key(key);
  out_ += '"';
  append_hex(out_, bytes);
  out_ += '"';
  return *this;
}

JsonLine& JsonLine::number(std::string_view key, std::uint64_t value) {
  this->key(key);
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), end);
  return *this;
}

JsonLine& JsonLine::boolean(std::string_view key, bool value) {
  this->key(key);
  out_ += value ? "true" : "false";
  return *this;
}

void JsonLine::end() { out_ += is_empty_ ? "{}\n" : "}\n"; }

}  // namespace evring
