// SPDX-License-Identifier: MIT
#include "sink.hpp"

#include <cerrno>
#include <iterator>
#include <system_error>

namespace evring::daemon {

Sink::Sink(const ConsumerConfig& config)
    : kind_(config.output), path_(config.output_path), consumer_(config.name) {
  if (kind_ != OutputKind::kJsonl) return;
  file_.reset(std::fopen(path_.c_str(), "ae"));
  if (!file_) throw std::system_error(errno, std::generic_category(), "opening " + path_);
}

void Sink::append(std::uint64_t sequence, std::uint64_t timestamp_ns, std::uint32_t type,
                  std::span<const std::byte> payload) {
  auto out = std::back_inserter(buffer_);
  fmt::format_to(out, R"({{"consumer":"{}","sequence":{},"timestamp_ns":{},"type":{},"payload":")",
                 consumer_, sequence, timestamp_ns, type);
  for (const std::byte byte : payload) fmt::format_to(out, "{:02x}", static_cast<unsigned>(byte));
  fmt::format_to(out, "\"}}\n");
}

void Sink::flush() {
  if (!file_ || buffer_.size() == 0) return;
  const std::size_t written = std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get());
  if (written != buffer_.size() || std::fflush(file_.get()) != 0) {
    throw std::system_error(errno, std::generic_category(), "writing " + path_);
  }
  buffer_.clear();
}

}  // namespace evring::daemon
