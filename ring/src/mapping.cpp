// SPDX-License-Identifier: MIT
// Attaching: every field of a header is checked, once, before anything uses it.
#include "evring/mapping.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <sstream>

#include "evring/memory.hpp"
#include "system.hpp"

namespace evring {
namespace {

/// One read of a field that another process may be changing.
template <class T>
T once(const T& field) noexcept {
  return __atomic_load_n(&field, __ATOMIC_RELAXED);
}

bool is_power_of_two(std::uint64_t value) noexcept {
  return value != 0 && (value & (value - 1)) == 0;
}

/// Throws unless a field holds what it must.
class HeaderCheck {
 public:
  explicit HeaderCheck(const std::string& name) : name_(name) {}

  template <class Found, class Expected>
  void that(bool good, const char* field, const Found& found, const Expected& expected) const {
    if (good) return;
    std::ostringstream text;
    text << name_ << ": not a ring that can be read: " << field << " is " << found << ", expected "
         << expected;
    throw_errno(text.str(), EPROTO);
  }

  template <class T>
  void equals(const char* field, T found, T expected) const {
    that(found == expected, field, found, expected);
  }

 private:
  const std::string& name_;
};

std::string hex(std::uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

std::string power_of_two(std::uint64_t low, std::uint64_t high) {
  return "a power of two from " + std::to_string(low) + " to " + std::to_string(high);
}

void check_identity(const evring_header& header, const HeaderCheck& check) {
  // (C7) Magic before the constants, or a half-made header is read. Pairs with (P7).
  const std::uint64_t magic = load_acquire(reinterpret_cast<const std::uint64_t*>(&header.magic));
  check.equals("magic", hex(magic), hex(EVRING_MAGIC));
  check.equals<std::uint32_t>("layout_major", once(header.layout_major), EVRING_LAYOUT_MAJOR);
  check.equals<std::uint32_t>("clock", once(header.clock), EVRING_CLOCK_MONOTONIC);
  const std::uint32_t source = once(header.source);
  check.that(source <= EVRING_SOURCE_DRIVER, "source", source, "0 to 3");
}

void check_slot(const evring_header& header, const HeaderCheck& check, Geometry& geometry) {
  const std::uint32_t format = once(header.slot_format);
  check.that(format <= EVRING_SLOT_PACKED, "slot_format", format, "0 to 3");
  const std::uint32_t slot_bytes = once(header.slot_bytes);
  const std::uint32_t least = slot_bytes_min(static_cast<SlotFormat>(format));
  check.that(
      is_power_of_two(slot_bytes) && slot_bytes >= least && slot_bytes <= EVRING_SLOT_BYTES_MAX,
      "slot_bytes", slot_bytes, power_of_two(least, EVRING_SLOT_BYTES_MAX));
  geometry.slot = {static_cast<SlotFormat>(format), slot_bytes};
  check.equals("payload_offset", once(header.payload_offset), geometry.slot.payload_offset());
  check.equals("payload_bytes", once(header.payload_bytes), geometry.slot.payload_bytes());
}

void check_extent(const evring_header& header, std::uint64_t mapped_bytes, const HeaderCheck& check,
                  Geometry& geometry) {
  geometry.slot_count = once(header.slot_count);
  check.that(is_power_of_two(geometry.slot_count) && geometry.slot_count >= EVRING_SLOT_COUNT_MIN &&
                 geometry.slot_count <= EVRING_SLOT_COUNT_MAX,
             "slot_count", geometry.slot_count,
             power_of_two(EVRING_SLOT_COUNT_MIN, EVRING_SLOT_COUNT_MAX));
  geometry.slots_offset = once(header.slots_offset);
  check.that(geometry.slots_offset >= EVRING_HEADER_BYTES &&
                 geometry.slots_offset <= EVRING_MAPPING_BYTES_MAX &&
                 geometry.slots_offset % kPageBytes == 0,
             "slots_offset", geometry.slots_offset, "a multiple of 4096, at least 4096");
  geometry.mapping_bytes = once(header.mapping_bytes);
  // At most 2^30 + 2^24 * 2^12: no overflow in what follows.
  const std::uint64_t needed_bytes =
      geometry.slots_offset + geometry.slot_count * geometry.slot.slot_bytes();
  check.that(geometry.mapping_bytes >= needed_bytes, "mapping_bytes", geometry.mapping_bytes,
             "at least " + std::to_string(needed_bytes) + " for these slots");
  check.that(geometry.mapping_bytes == mapped_bytes, "mapping_bytes", geometry.mapping_bytes,
             std::to_string(mapped_bytes) + ", the length of the mapping");
}

/// How much of `fd` to map: a memory file says so itself, a device tells by ioctl.
std::uint64_t bytes_behind(int fd, const std::string& name) {
  // The seals first: whoever has them is a memory file, whose size no file system tells.
  const int seals = ::fcntl(fd, F_GET_SEALS);
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw_errno(name + ": fstat");
  if (seals < 0 && S_ISCHR(info.st_mode)) {
    evring_device_info device{};
    device.size = sizeof(device);
    if (::ioctl(fd, EVRING_IOC_INFO, &device) != 0) throw_errno(name + ": not an evring device");
    return device.mapping_bytes;
  }
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
    throw_errno(name + ": seals are " + (seals < 0 ? "none" : hex(static_cast<unsigned>(seals))) +
                    ", expected F_SEAL_SHRINK: its owner could cut it under a reader",
                EPERM);
  }
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace

Geometry check_header(const evring_header& header, std::uint64_t mapped_bytes,
                      const std::string& name) {
  const HeaderCheck check(name);
  check.that(mapped_bytes >= EVRING_HEADER_BYTES, "the length of the mapping", mapped_bytes,
             "at least 4096, the header");
  Geometry geometry;
  check_identity(header, check);
  check_slot(header, check, geometry);
  check_extent(header, mapped_bytes, check, geometry);
  const std::uint32_t mode = once(header.mode);
  check.that(mode <= EVRING_MODE_GATED, "mode", mode, "0 (overwrite) or 1 (gated)");
  geometry.mode = static_cast<Mode>(mode);
  geometry.first_sequence = once(header.first_sequence);
  const std::uint64_t features = once(header.features);
  geometry.has_write_limit = (features & EVRING_FEATURE_WRITE_LIMIT) != 0;
  check.that(geometry.has_write_limit || has_stamp(geometry.slot.format()), "features",
             hex(features), "EVRING_FEATURE_WRITE_LIMIT, 0x1, for slots without a stamp");
  return geometry;
}

Mapping::Region::~Region() {
  if (memory != nullptr) ::munmap(memory, mapped_bytes);
}

Mapping Mapping::attach(int fd, const std::string& name) {
  const std::uint64_t bytes = bytes_behind(fd, name);
  if (bytes < EVRING_HEADER_BYTES || bytes > EVRING_MAPPING_BYTES_MAX) {
    throw_errno(name + ": " + std::to_string(bytes) + " bytes long, expected 4096 to " +
                    std::to_string(EVRING_MAPPING_BYTES_MAX),
                EPROTO);
  }
  return adopt(map_shared(fd, bytes, PROT_READ, name), bytes, name);
}

Mapping Mapping::adopt(void* memory, std::uint64_t mapped_bytes, const std::string& name) {
  auto region = std::make_shared<Region>();
  region->memory = static_cast<std::byte*>(memory);
  region->mapped_bytes = mapped_bytes;
  const auto* header = static_cast<const evring_header*>(memory);
  region->geometry = check_header(*header, mapped_bytes, name);
  for (const char& letter : header->name) {
    const char seen = once(letter);
    if (seen == '\0') break;
    region->name.push_back(seen);
  }
  return Mapping(std::move(region));
}

}  // namespace evring
