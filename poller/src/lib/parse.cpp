// SPDX-License-Identifier: MIT
#include <evring/abi.h>
#include <evring/poller/parse.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

namespace evring {
namespace {

using std::chrono::nanoseconds;

constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
constexpr std::string_view kLocalPrefix = "local:";
constexpr std::string_view kDevicePrefix = EVRING_DEVICE_DIR "/";

template <class Factor>
struct Unit {
  std::string_view text;
  Factor factor;
};
constexpr std::array<Unit<std::uint64_t>, 7> kCountUnits{{{"", 1},
                                                          {"k", 1000},
                                                          {"M", 1000 * 1000},
                                                          {"G", 1000 * 1000 * 1000},
                                                          {"Ki", 1 << 10},
                                                          {"Mi", 1 << 20},
                                                          {"Gi", 1 << 30}}};
/// Longest first, for what is printed.
constexpr std::array<Unit<std::int64_t>, 7> kTimeUnits{{{"h", 3'600'000'000'000},
                                                        {"m", 60'000'000'000},
                                                        {"s", 1'000'000'000},
                                                        {"", 1'000'000'000},
                                                        {"ms", 1'000'000},
                                                        {"us", 1000},
                                                        {"ns", 1}}};

template <class Units>
auto factor_of(const Units& units, std::string_view text) {
  const auto found = std::find_if(units.begin(), units.end(),
                                  [text](const auto& unit) { return unit.text == text; });
  return found == units.end() ? 0 : found->factor;  // no unit is 0 of anything
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() < EVRING_NAME_BYTES && text.front() != '.' &&
         text.find_first_not_of(kNameCharacters) == std::string_view::npos;
}

[[noreturn]] void refuse_name(std::string_view text, const char* what) {
  throw std::invalid_argument(quoted(text) + " is no name" + what + "; give 1 to " +
                              std::to_string(EVRING_NAME_BYTES - 1) +
                              " letters, digits, '-', '_' or '.', not '.' first");
}

std::optional<std::uint64_t> number_of(std::string_view text) noexcept {
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  if (is_hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, is_hex ? 16 : 10);
  if (error != std::errc{}) return std::nullopt;
  const std::uint64_t factor =
      is_hex ? std::uint64_t{stop == end} : factor_of(kCountUnits, {stop, std::size_t(end - stop)});
  if (factor == 0 || value > std::numeric_limits<std::uint64_t>::max() / factor) {
    return std::nullopt;
  }
  return value * factor;
}

std::optional<double> nanoseconds_of(std::string_view text) noexcept {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const auto factor = factor_of(kTimeUnits, {stop, std::size_t(end - stop)});
  if (error != std::errc{} || factor == 0 || !std::isfinite(value)) return std::nullopt;
  return value * static_cast<double>(factor);
}

/// In the longest unit that it is a whole number of: 20ms, 1h.
std::string show(nanoseconds time) {
  for (const auto& [unit, factor] : kTimeUnits) {
    if (time.count() % factor == 0 && time.count() != 0) {
      return std::to_string(time.count() / factor) + std::string(unit);
    }
  }
  return "0";
}

}  // namespace

std::string parse_name(std::string_view text) {
  if (!is_name(text)) refuse_name(text, "");
  return std::string(text);
}

RingName parse_ring(std::string_view text) {
  RingName ring;
  std::string_view name = text;
  if (name.starts_with(kLocalPrefix)) {
    ring.is_local = true;
    name.remove_prefix(kLocalPrefix.size());
  } else if (name.starts_with(kDevicePrefix)) {
    name.remove_prefix(kDevicePrefix.size());
  }
  if (!is_name(name) || name == "control") refuse_name(text, " for a ring");
  ring.name = name;
  return ring;
}

std::uint64_t parse_number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  const auto value = number_of(text);
  if (value && *value >= low && *value <= high) return *value;
  throw std::invalid_argument(quoted(text) + " is not a whole number from " + std::to_string(low) +
                              " to " + std::to_string(high));
}

std::uint64_t parse_power_of_two(std::string_view text, std::uint64_t low, std::uint64_t high) {
  const auto value = number_of(text);
  if (value && *value >= low && *value <= high && std::has_single_bit(*value)) return *value;
  throw std::invalid_argument(quoted(text) + " is not a power of two from " + std::to_string(low) +
                              " to " + std::to_string(high));
}

nanoseconds parse_duration(std::string_view text, nanoseconds low, nanoseconds high) {
  const auto value = nanoseconds_of(text);
  if (value && *value >= static_cast<double>(low.count()) &&
      *value <= static_cast<double>(high.count())) {
    return nanoseconds(std::llround(*value));
  }
  throw std::invalid_argument(quoted(text) + " is not a time from " + show(low) + " to " +
                              show(high) +
                              "; give seconds, or a number with ns, us, ms, s, m or h");
}

}  // namespace evring
