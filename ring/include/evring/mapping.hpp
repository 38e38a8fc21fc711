// SPDX-License-Identifier: MIT
// A mapped ring whose header has been checked. The geometry is copied out at
// attach time and never read again, so a header that changes later cannot move
// a reader outside the mapping.
#pragma once

#include <evring/abi.h>
#include <evring/slot.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace evring {

enum class Mode : std::uint32_t {
  kOverwrite = EVRING_MODE_OVERWRITE,
  kGated = EVRING_MODE_GATED,
};

/// The constants of a ring, checked against each other and against the mapping.
struct Geometry {
  std::uint64_t mapping_bytes = 0;
  std::uint64_t slots_offset = 0;
  std::uint64_t slot_count = 0;  ///< a power of two
  AnySlotLayout slot;
  std::uint64_t first_sequence = 0;
  Mode mode = Mode::kOverwrite;
  bool has_write_limit = false;  ///< EVRING_FEATURE_WRITE_LIMIT
};

/// Checks a header against `mapped_bytes`, the true length of what is mapped.
///
/// @throws std::system_error (EPROTO) whose text names `name`, the field, what was
///         found and what was expected.
/// Any thread. Reads the header only, and each field once.
Geometry check_header(const evring_header& header, std::uint64_t mapped_bytes,
                      const std::string& name);

/// A ring mapped into this process. Copies share the mapping; the last one
/// unmaps it. Copying and destroying are for set-up, from any thread.
class Mapping {
 public:
  /// Maps `fd` read-only and checks it: a device node of evring.ko, or the sealed
  /// memory file of a local ring. `fd` may be closed afterwards.
  ///
  /// A regular or memory file without F_SEAL_SHRINK is refused (EPERM): its owner
  /// could cut it under a reader.
  /// @throws std::system_error naming `name`: the mmap failed, or check_header().
  static Mapping attach(int fd, const std::string& name);

  /// Takes over memory that is already mapped (`munmap`ped at the end).
  /// @throws std::system_error from check_header(); the memory is unmapped then.
  static Mapping adopt(void* memory, std::uint64_t mapped_bytes, const std::string& name);

  const Geometry& geometry() const noexcept { return region_->geometry; }
  const evring_header* header() const noexcept {
    return reinterpret_cast<const evring_header*>(region_->memory);
  }
  const std::byte* slots() const noexcept {
    return region_->memory + region_->geometry.slots_offset;
  }
  /// The name in the header, cut at the first NUL.
  const std::string& name() const noexcept { return region_->name; }

 private:
  struct Region {
    std::byte* memory = nullptr;
    std::uint64_t mapped_bytes = 0;
    Geometry geometry;
    std::string name;
    ~Region();
  };
  explicit Mapping(std::shared_ptr<const Region> region) noexcept : region_(std::move(region)) {}

  std::shared_ptr<const Region> region_;
};

}  // namespace evring
