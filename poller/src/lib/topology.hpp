// SPDX-License-Identifier: MIT
// The machine as hwloc sees it, loaded once per process.
#pragma once

#include <hwloc.h>

namespace evring {

/// Any thread. @throws std::runtime_error when hwloc cannot read the machine.
hwloc_topology_t topology();

/// An owned hwloc bitmap.
class CpuBitmap {
 public:
  CpuBitmap() : bits_(hwloc_bitmap_alloc()) {}
  CpuBitmap(const CpuBitmap&) = delete;
  CpuBitmap& operator=(const CpuBitmap&) = delete;
  ~CpuBitmap() { hwloc_bitmap_free(bits_); }
  hwloc_bitmap_t get() const noexcept { return bits_; }

 private:
  hwloc_bitmap_t bits_;
};

}  // namespace evring
