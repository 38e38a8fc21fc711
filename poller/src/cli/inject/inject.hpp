// SPDX-License-Identifier: MIT
// What `evring inject` sends, and where to: options, the source of payloads, and the
// rings that others produce.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {

struct InjectOptions {
  std::string name;
  bool local = false;
  bool json = false;
  bool truncate = false;
  bool drop_when_full = false;
  std::optional<std::string> payload;
  std::optional<std::uint64_t> count;
  std::uint32_t type = 0;
  std::uint32_t batch_count = 1;
  std::uint64_t rate_hz = 0;  ///< batches a second; 0: as fast as it goes
  unsigned wait_count = 0;    ///< local: consumers to wait for
  double linger_seconds = 0;  ///< local: how long the ring stays after the last event
  RingShape shape;
};

/// Lines of a descriptor; Ctrl-C ends the wait for one.
class LineReader {
 public:
  explicit LineReader(int fd) noexcept : fd_(fd) {}
  /// The next line without its newline; nothing at the end or on Ctrl-C.
  /// @throws Failure: it cannot be read.
  std::optional<std::string> next();

 private:
  bool read_more();
  int fd_;
  std::string buffer_;
  std::size_t begin_ = 0;
  bool ended_ = false;
};

/// Where payloads come from: lines of a descriptor, one text again and again, or (with
/// neither) the number of the event as 8 bytes.
class PayloadSource {
 public:
  PayloadSource(const InjectOptions& options, int lines_fd) noexcept
      : options_(options), lines_(lines_fd) {}

  /// The next batch, at most batch_count payloads; empty at the end.
  /// @throws Failure: a line is longer than `payload_bytes`, without --truncate.
  std::vector<std::string> next_batch(std::size_t payload_bytes);

 private:
  std::optional<std::string> next();
  const InjectOptions& options_;
  LineReader lines_;
  std::uint64_t made_count_ = 0;
};

/// @return the exit code.
int inject_device(const InjectOptions& options, PayloadSource& source);
/// Into a local ring of another process. @return nothing: nobody serves a ring of that name.
std::optional<int> inject_by_owner(const InjectOptions& options, PayloadSource& source);

}  // namespace evring::cli
