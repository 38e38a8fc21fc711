// SPDX-License-Identifier: MIT
// `evring inject`: events from lines of text, a given payload or a count, into a soft
// device, a local ring of another process, or one that this command makes and serves.
#include "cli/inject/inject.hpp"

#include <unistd.h>

#include <cstring>
#include <evring/poller/pace.hpp>
#include <memory>

#include "cli/local_server.hpp"

namespace evring::cli {
namespace {

int inject_into_own(const InjectOptions& options, PayloadSource& source) {
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
    const bool published = server.publish(
        batch.size(), options.drop_when_full,
        [&](AnyProducer& by) { by.publish_batch(std::span(events.data(), batch.size())); });
    if (!published) break;
  }
  server.refresh_status();
  stop::sleep_for(
      std::chrono::nanoseconds(static_cast<std::int64_t>(options.linger_seconds * 1e9)));
  server.print_balance(options.json);
  return kFine;
}

/// Into the ring of that name, or else into one that is made for it.
int inject_local(const InjectOptions& options, PayloadSource& source) {
  const std::optional<int> code = inject_by_owner(options, source);
  return code ? *code : inject_into_own(options, source);
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

void add_inject(Program& program) {
  const auto asked = std::make_shared<InjectOptions>();
  Options options = program.add("inject", "Publish events: lines of standard input, or as asked",
                                [asked] { return run_inject(*asked); });
  InjectOptions& o = *asked;
  options.text("name", o.name, "A soft device, or a local ring (local:NAME)",
               Options::Need::kRequired);
  options.flag("--local", o.local,
               "A local ring: the one of that name, through its owner; else one made for it");
  options.text("--payload", o.payload, "This text; once, or --count times");
  options.number("--count", o.count, 1, UINT64_MAX,
                 "So many events; without --payload each holds its number");
  options.number("--type", o.type, 0, UINT32_MAX, "Type of the events");
  options.number("--batch", o.batch_count, 1, EVRING_BATCH_COUNT_MAX, "Events published at once");
  options.number("--rate", o.rate_hz, 0, EVRING_RATE_HZ_MAX,
                 "Batches a second; 0: as fast as it goes");
  options.flag("--truncate", o.truncate, "Cut what is longer than the payload");
  options.number("--wait-consumers", o.wait_count, 0, EVRING_CONSUMER_COUNT_MAX,
                 "local: first wait for so many consumers");
  options.seconds("--linger", o.linger_seconds, std::chrono::seconds(0),
                  std::chrono::seconds(1'000'000),
                  "local: keep the ring so many seconds at the end");
  options.flag("--when-full-drop", o.drop_when_full,
               "local gated: drop instead of waiting for the slowest consumer");
  add_shape_options(options, o.shape);
  add_huge_pages_option(options, o.shape.huge_pages);
  options.flag("--json", o.json, "Print JSON");
}

}  // namespace evring::cli
