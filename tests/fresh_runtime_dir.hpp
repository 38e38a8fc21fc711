// SPDX-License-Identifier: MIT
// Tests beside each other do not meet: a runtime folder for each.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace evring {

/// Points the runtime folder at a fresh one for as long as it lives.
class FreshRuntimeDir {
 public:
  FreshRuntimeDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "evring-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    const char* before = ::getenv("XDG_RUNTIME_DIR");
    if (before != nullptr) before_ = before;
    ::setenv("XDG_RUNTIME_DIR", path_.c_str(), 1);
  }
  FreshRuntimeDir(const FreshRuntimeDir&) = delete;
  FreshRuntimeDir& operator=(const FreshRuntimeDir&) = delete;
  ~FreshRuntimeDir() {
    if (before_.empty()) {
      ::unsetenv("XDG_RUNTIME_DIR");
    } else {
      ::setenv("XDG_RUNTIME_DIR", before_.c_str(), 1);
    }
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  std::string before_;
};

}  // namespace evring
