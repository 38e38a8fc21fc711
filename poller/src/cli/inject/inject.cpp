// SPDX-License-Identifier: MIT
// `evring inject`: events from lines of text, a given payload or a count, into a
// soft device, or into a local ring that this command makes and serves.
#include "cli/inject/inject.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <evring/poller/pace.hpp>
#include <memory>

#include "cli/local_server.hpp"
#include "tool/kernel_access.hpp"

namespace evring::cli {
namespace {

struct DeviceTally {
  std::uint64_t offered = 0;
  std::uint64_t published = 0;
  std::uint64_t lock_wait_ns = 0;
};

void inject_batch(const InjectOptions& options, Device& device, std::size_t payload_bytes,
                  const std::vector<std::string>& batch, DeviceTally& tally) {
  const std::size_t stride = 8 + payload_bytes;
  std::vector<std::uint64_t> words(batch.size() * stride / 8);
  auto* bytes = reinterpret_cast<char*>(words.data());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    words[i * stride / 8] = EVRING_TYPE_LENGTH(options.type, batch[i].size());
    std::memcpy(bytes + i * stride + 8, batch[i].data(), batch[i].size());
  }
  try {
    const Device::Injected injected = device.inject(
        words.data(), static_cast<std::uint32_t>(batch.size()), static_cast<std::uint32_t>(stride));
    tally.offered += batch.size();
    tally.published += injected.published_count;
    tally.lock_wait_ns += injected.lock_wait_ns;
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    const std::string thing = fmt::format("device '{}'", options.name);
    if (code == EINVAL || code == EOPNOTSUPP) {
      throw failure(thing, "takes no injected events", "inject into one made with --source soft");
    }
    if (code == ENODEV)
      throw failure(thing, "was removed meanwhile", "'evring list' shows what is there");
    throw explain(thing, error);
  }
}

int run_inject(InjectOptions& options) {
  const RingName ring = ring_of(options.name, options.local);
  options.local = ring.is_local;
  options.name = ring.name;
  if (options.batch_count > options.shape.slot_count && options.local) {
    throw usage_error("--batch", "more events than slots", "take more slots");
  }
  stop::watch_signals();
  PayloadSource source(options, STDIN_FILENO);
  return options.local ? inject_local(options, source) : inject_device(options, source);
}

}  // namespace

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

int inject_device(const InjectOptions& options, PayloadSource& source) {
  Device device = open_device(options.name, Device::Access::kReadWrite);
  const Geometry geometry = device.map().geometry();
  const std::size_t payload_bytes = geometry.slot.payload_bytes();
  DeviceTally tally;
  Pace pace(options.rate_hz);
  while (!stop::sleep_until(pace.next())) {
    const std::vector<std::string> batch = source.next_batch(payload_bytes);
    if (batch.empty()) break;
    inject_batch(options, device, payload_bytes, batch, tally);
  }
  const std::uint64_t dropped = tally.offered - tally.published;
  if (options.json) {
    print_json({{"name", options.name},
                {"offered", tally.offered},
                {"published", tally.published},
                {"dropped", dropped},
                {"lock_wait_ns", tally.lock_wait_ns}});
  } else {
    print("{}: offered {}, published {}, dropped {}\n", options.name, tally.offered,
          tally.published, dropped);
  }
  return kFine;
}

int inject_local(const InjectOptions& options, PayloadSource& source) {
  LocalServer server(options.name, options.shape);
  if (options.wait_count != 0) server.wait_for_consumers(options.wait_count);
  const std::size_t payload_bytes = options.shape.slot.payload_bytes();
  std::vector<AnyEvent> events(options.batch_count);
  Pace pace(options.rate_hz);
  while (!stop::sleep_until(pace.next())) {
    const std::vector<std::string> batch = source.next_batch(payload_bytes);
    if (batch.empty()) break;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      events[i].type = options.type;
      events[i].length_bytes = static_cast<std::uint32_t>(batch[i].size());
      std::memset(events[i].payload.data(), 0, payload_bytes);
      std::memcpy(events[i].payload.data(), batch[i].data(), batch[i].size());
    }
    if (!options.drop_when_full && !server.wait_for_room(batch.size())) break;
    server.producer().publish_batch(std::span(events.data(), batch.size()));
  }
  server.producer().refresh_status();
  stop::sleep_for(
      std::chrono::nanoseconds(static_cast<std::int64_t>(options.linger_seconds * 1e9)));
  server.print_balance(options.json);
  return kFine;
}

void add_inject(Program& program) {
  const auto options = std::make_shared<InjectOptions>();
  CLI::App* sub = program.add("inject", "Publish events: lines of standard input, or as asked",
                              [options] { return run_inject(*options); });
  InjectOptions& o = *options;
  sub->add_option("name", o.name, "A soft device, or the local ring to make (local:NAME)")
      ->required();
  sub->add_flag("--local", o.local,
                "Make and serve a local ring of that name, and publish into it");
  sub->add_option("--payload", o.payload, "This text; once, or --count times");
  sub->add_option("--count", o.count, "So many events; without --payload each holds its number")
      ->transform(whole_number(1, UINT64_MAX));
  sub->add_option("--type", o.type, "Type of the events")
      ->transform(whole_number(0, UINT32_MAX))
      ->capture_default_str();
  sub->add_option("--batch", o.batch_count, "Events published at once")
      ->transform(whole_number(1, EVRING_BATCH_COUNT_MAX))
      ->capture_default_str();
  sub->add_option("--rate", o.rate_hz, "Batches a second; 0: as fast as it goes")
      ->transform(whole_number(0, EVRING_RATE_HZ_MAX))
      ->capture_default_str();
  sub->add_flag("--truncate", o.truncate, "Cut what is longer than the payload");
  sub->add_option("--wait-consumers", o.wait_count, "local: first wait for so many consumers")
      ->transform(whole_number(0, EVRING_CONSUMER_COUNT_MAX));
  sub->add_option("--linger", o.linger_seconds, "local: keep the ring so many seconds at the end")
      ->transform(duration(std::chrono::seconds(0), std::chrono::seconds(1'000'000)));
  sub->add_flag("--when-full-drop", o.drop_when_full,
                "local gated: drop instead of waiting for the slowest consumer");
  add_shape_options(sub, o.shape);
  add_huge_pages_option(sub, o.shape.huge_pages);
  sub->add_flag("--json", o.json, "Print JSON");
}

}  // namespace evring::cli
