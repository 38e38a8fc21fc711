// SPDX-License-Identifier: MIT
#include "topology.hpp"

#include <evring/poller/cpu_list.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace evring {
namespace {

constexpr unsigned kCpuMax = 65535;  ///< a bound for typing errors, not for machines

[[noreturn]] void refuse(std::string_view item, const std::string& reason) {
  throw std::invalid_argument("CPU list item '" + std::string(item) + "': " + reason +
                              "; write CPUs as 1-3,5 or objects as core:2, numa:0, socket:0");
}

std::optional<unsigned> parse_index(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void append_unique(std::vector<unsigned>& cpus, unsigned cpu) {
  if (std::find(cpus.begin(), cpus.end(), cpu) == cpus.end()) cpus.push_back(cpu);
}

void append_bitmap(std::vector<unsigned>& cpus, hwloc_const_bitmap_t bits) {
  for (int cpu = hwloc_bitmap_first(bits); cpu >= 0; cpu = hwloc_bitmap_next(bits, cpu)) {
    append_unique(cpus, static_cast<unsigned>(cpu));
  }
}

void append_object(std::vector<unsigned>& cpus, std::string_view item, std::size_t colon) {
  const std::string name(item.substr(0, colon));
  hwloc_obj_type_t type = HWLOC_OBJ_MACHINE;
  int depth = HWLOC_TYPE_DEPTH_UNKNOWN;
  if (hwloc_type_sscanf_as_depth(name.c_str(), &type, topology(), &depth) != 0) {
    refuse(item, "no such object type");
  }
  const auto index = parse_index(item.substr(colon + 1));
  if (!index) refuse(item, "no number after ':'");
  const hwloc_obj_t object = hwloc_get_obj_by_depth(topology(), depth, *index);
  if (object == nullptr || object->cpuset == nullptr) {
    const auto count = hwloc_get_nbobjs_by_depth(topology(), depth);  // 0 of no depth
    refuse(item, count == 0
                     ? "this machine has none of these"
                     : "this machine has " + std::to_string(count) + " of these, numbered from 0");
  }
  append_bitmap(cpus, object->cpuset);
}

/// Not by hwloc_bitmap_list_sscanf(), which forgets the order, takes 010 for 8 and 1- for
/// no end, and asks for memory up to any number.
void append_range(std::vector<unsigned>& cpus, std::string_view item) {
  const std::size_t dash = item.find('-');
  const auto first = parse_index(item.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_index(item.substr(dash + 1));
  if (!first || !last) refuse(item, "not a CPU number or a range");
  if (*last > kCpuMax) refuse(item, "past " + std::to_string(kCpuMax));
  if (*first > *last) refuse(item, "the range runs backwards");
  for (unsigned cpu = *first; cpu <= *last; ++cpu) append_unique(cpus, cpu);
}

std::vector<unsigned> read_allowed_cpus() {
  const CpuBitmap bits;
  if (hwloc_get_cpubind(topology(), bits.get(), HWLOC_CPUBIND_PROCESS) != 0) {
    throw std::system_error(errno, std::generic_category(), "reading the allowed CPUs");
  }
  std::vector<unsigned> cpus;
  append_bitmap(cpus, bits.get());
  return cpus;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::vector<unsigned> parse_cpu_list(std::string_view text) {
  std::vector<unsigned> cpus;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string_view item = trim(text.substr(begin, comma - begin));
    if (item.empty()) refuse(item, text.empty() ? "the list is empty" : "nothing between commas");
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos) {
      append_range(cpus, item);
    } else {
      append_object(cpus, item, colon);
    }
    begin = comma + 1;
  }
  return cpus;
}

std::vector<unsigned> allowed_cpus() {
  // Once: later the masks are what we pinned our own threads to.
  static const std::vector<unsigned> allowed = read_allowed_cpus();
  return allowed;
}

void check_allowed(std::span<const unsigned> cpus, std::span<const unsigned> allowed) {
  for (const unsigned cpu : cpus) {
    if (std::find(allowed.begin(), allowed.end(), cpu) != allowed.end()) continue;
    throw std::system_error(EINVAL, std::generic_category(),
                            "CPU " + std::to_string(cpu) + " is outside the allowed set " +
                                format_cpu_list(allowed) +
                                "; choose one of these, or widen the set (taskset, cgroup cpuset)");
  }
}

void check_allowed(std::span<const unsigned> cpus) { check_allowed(cpus, allowed_cpus()); }

std::string format_cpu_list(std::span<const unsigned> cpus) {
  const CpuBitmap bits;
  for (const unsigned cpu : cpus) hwloc_bitmap_set(bits.get(), cpu);
  char* text = nullptr;
  if (hwloc_bitmap_list_asprintf(&text, bits.get()) < 0) throw std::bad_alloc();
  const std::unique_ptr<char, decltype(&std::free)> owned(text, &std::free);
  return text;
}

void pin_this_thread(unsigned cpu) {
  // The kernel would let a thread leave the mask that taskset gave it; we do not.
  check_allowed(std::span(&cpu, 1));
  const CpuBitmap wanted;
  hwloc_bitmap_only(wanted.get(), cpu);
  if (hwloc_set_cpubind(topology(), wanted.get(), HWLOC_CPUBIND_THREAD) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "pinning to CPU " + std::to_string(cpu));
  }
}

}  // namespace evring
