// SPDX-License-Identifier: MIT
// Memory that this process shares with others.
#pragma once

#include <evring/descriptor.hpp>

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "system.hpp"

namespace evring {

/// One shared mapping, unmapped at the end.
class SharedPages {
 public:
  SharedPages() = default;
  SharedPages(int fd, std::uint64_t bytes, int protection, const std::string& what)
      : memory_(map_shared(fd, bytes, protection, what)), bytes_(bytes) {}
  SharedPages(SharedPages&& other) noexcept { *this = std::move(other); }
  SharedPages& operator=(SharedPages&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~SharedPages() {
    if (memory_ != nullptr) ::munmap(memory_, bytes_);
  }

  template <class T>
  T* as() const noexcept {
    return static_cast<T*>(memory_);
  }
  std::byte* bytes() const noexcept { return static_cast<std::byte*>(memory_); }

 private:
  void* memory_ = nullptr;
  std::uint64_t bytes_ = 0;
};

/// Maps `file`, a page that its maker cannot cut under this process.
/// @throws std::system_error (EPROTO) naming `what`.
SharedPages map_sealed_page(const FileDescriptor& file, const std::string& what);

}  // namespace evring
