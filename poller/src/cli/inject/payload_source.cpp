// SPDX-License-Identifier: MIT
// Where the payloads of `evring inject` come from: lines, one text, or their numbers.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/inject/inject.hpp"

namespace evring::cli {

std::optional<std::string> LineReader::next() {
  for (;;) {
    const std::size_t end = buffer_.find('\n', begin_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(begin_, end - begin_);
      begin_ = end + 1;
      return line;
    }
    if (!read_more()) break;
  }
  if (begin_ == buffer_.size() || stop::requested()) return std::nullopt;
  std::string rest = buffer_.substr(begin_);  // the last line may lack its newline
  begin_ = buffer_.size();
  return rest;
}

bool LineReader::read_more() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  while (!ended_ && !stop::requested()) {
    pollfd fds[2] = {{fd_, POLLIN, 0}, {stop::fd(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 || fds[0].revents == 0) continue;
    char chunk[65536];
    const ssize_t count = read(fd_, chunk, sizeof(chunk));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) throw failure("standard input", std::strerror(errno));
    ended_ = count == 0;
    buffer_.append(chunk, static_cast<std::size_t>(count));
    return !ended_;
  }
  return false;
}

std::optional<std::string> PayloadSource::next() {
  if (options_.count && made_count_ == *options_.count) return std::nullopt;
  if (options_.payload) {
    if (!options_.count && made_count_ != 0) return std::nullopt;
    ++made_count_;
    return options_.payload;
  }
  if (options_.count) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &made_count_, 8);
    ++made_count_;
    return bytes;
  }
  std::optional<std::string> line = lines_.next();
  if (!line) return std::nullopt;
  ++made_count_;
  return line;
}

std::vector<std::string> PayloadSource::next_batch(std::size_t payload_bytes) {
  std::vector<std::string> batch;
  while (batch.size() < options_.batch_count && !stop::requested()) {
    std::optional<std::string> text = next();
    if (!text) break;
    if (text->size() > payload_bytes) {
      if (!options_.truncate) {
        throw failure(
            fmt::format("event {}", made_count_),
            fmt::format("{} bytes do not fit in a payload of {}", text->size(), payload_bytes),
            "take --truncate, or a ring with larger slots");
      }
      text->resize(payload_bytes);
    }
    batch.push_back(std::move(*text));
  }
  return batch;
}

}  // namespace evring::cli
