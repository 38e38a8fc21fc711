// SPDX-License-Identifier: MIT
// What people write, in commands and files alike: names, rings, numbers, times. One rule
// for each; CPUs are in cpu_list.hpp. What is refused is refused in one line that says
// what would be right. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace evring {

/// The name of a ring, a consumer or an output: 1 to 31 letters, digits, '-', '_' and '.',
/// not '.' first.
/// @throws std::invalid_argument "'a/b' is no name; give …".
std::string parse_name(std::string_view text);

/// Which ring is meant.
struct RingName {
  bool is_local = false;
  std::string name;  ///< without `local:` or the folder of the devices

  /// `local:NAME` or `NAME`: what RingLink::open() takes, and what is shown.
  std::string text() const { return is_local ? "local:" + name : name; }
};

/// `local:NAME`, or a device: `NAME` or `/dev/evring/NAME`. Nobody's is "control".
/// @throws std::invalid_argument.
RingName parse_ring(std::string_view text);

/// A whole number from `low` to `high`: decimal, whatever zeros it begins with, or
/// hexadecimal after 0x. A decimal one may end in k, M or G (thousands), or in Ki, Mi or
/// Gi (1,024s).
/// @throws std::invalid_argument naming both bounds.
std::uint64_t parse_number(std::string_view text, std::uint64_t low, std::uint64_t high);
/// As parse_number(), and a power of two.
std::uint64_t parse_power_of_two(std::string_view text, std::uint64_t low, std::uint64_t high);

/// A time from `low` to `high`: seconds, or a number with ns, us, ms, s, m or h behind it,
/// such as 1.5 or 20ms. Not "nan", not "inf".
/// @throws std::invalid_argument naming both bounds.
std::chrono::nanoseconds parse_duration(std::string_view text, std::chrono::nanoseconds low,
                                        std::chrono::nanoseconds high);

}  // namespace evring
