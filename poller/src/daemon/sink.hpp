// SPDX-License-Identifier: MIT
// Where a consumer of evringd puts its events. One thread each; counts are for any.
#pragma once

#include "config.hpp"

#include <evring/slot.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace evring::daemon {

class Sink {
 public:
  /// @throws std::system_error naming the file that cannot be written.
  explicit Sink(const ConsumerConfig& config);

  template <class Layout>
  void take(std::span<const BasicEvent<Layout>> events) {
    if (kind_ == OutputKind::kCount) {
      const std::lock_guard lock(mutex_);
      for (const BasicEvent<Layout>& event : events) ++by_type_[event.type];
    } else if (kind_ == OutputKind::kJsonl) {
      for (const BasicEvent<Layout>& event : events) {
        append(event.sequence, event.timestamp_ns, event.type, event.bytes());
      }
      if (buffer_.size() >= kFlushBytes) flush();
    }
  }

  /// Writes out what is buffered. @throws std::system_error naming the file.
  void flush();

  /// Any thread, at any time.
  std::map<std::uint32_t, std::uint64_t> by_type() const {
    const std::lock_guard lock(mutex_);
    return by_type_;
  }

 private:
  static constexpr std::size_t kFlushBytes = 1 << 16;

  void append(std::uint64_t sequence, std::uint64_t timestamp_ns, std::uint32_t type,
              std::span<const std::byte> payload);

  struct Closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  OutputKind kind_;
  std::string path_;
  std::string consumer_;
  std::unique_ptr<std::FILE, Closer> file_;
  fmt::memory_buffer buffer_;
  mutable std::mutex mutex_;  ///< of the map below; once a burst
  std::map<std::uint32_t, std::uint64_t> by_type_;
};

}  // namespace evring::daemon
