// SPDX-License-Identifier: MIT
// `evring stat` (and `top`): rate, drops, doorbells and lock waits of each ring; rate,
// lag and loss of each consumer that shows itself (see board.hpp).
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <evring/poller/board.hpp>
#include <map>
#include <memory>
#include <system_error>

#include "cli/commands.hpp"
#include "cli/ring_info.hpp"
#include "tool/kernel_access.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct AskedToShow {
  std::vector<std::string> names;
  double interval_s = 1;
  std::uint64_t count = 1;  ///< 0: until Ctrl-C
  bool json = false;
};

struct Sample {
  Clock::time_point at;
  std::vector<RingInfo> rings;
  std::vector<ConsumerEntry> consumers;
};

bool is_wanted(const AskedToShow& asked, const std::string& name) {
  return asked.names.empty() ||
         std::find(asked.names.begin(), asked.names.end(), name) != asked.names.end();
}

Sample take_sample(const AskedToShow& asked) {
  Sample sample{Clock::now(), {}, {}};
  for (RingInfo& ring : list_devices()) {
    if (is_wanted(asked, ring.name)) sample.rings.push_back(std::move(ring));
  }
  const auto wanted = [&](const std::string& name) { return is_wanted(asked, name); };
  for (RingInfo& ring : list_local_rings(wanted)) sample.rings.push_back(std::move(ring));
  try {
    for (ConsumerEntry& entry : read_consumer_board()) {
      if (is_wanted(asked, entry.ring)) sample.consumers.push_back(std::move(entry));
    }
  } catch (const std::system_error& error) {  // refused, or others' and not readable
    warn_once(error.what());
  }
  return sample;
}

/// Unknown names are an error, not an empty table.
void check_names(const AskedToShow& asked, const Sample& sample) {
  for (const std::string& name : asked.names) {
    const bool found = std::any_of(sample.rings.begin(), sample.rings.end(),
                                   [&](const RingInfo& ring) { return ring.name == name; });
    if (!found) open_ring(parse_ring(name), {.doorbell = false});  // says what is the matter
  }
}

double per_second(std::uint64_t now, std::uint64_t before, double seconds) {
  return now < before || seconds <= 0 ? 0 : static_cast<double>(now - before) / seconds;
}

double ring_rate(const RingInfo& ring, const Sample& before, double seconds) {
  for (const RingInfo& old : before.rings) {
    if (old.name == ring.name) return per_second(ring.published(), old.published(), seconds);
  }
  return 0;
}

double consumer_rate(const ConsumerEntry& entry, const Sample& before, double seconds) {
  for (const ConsumerEntry& old : before.consumers) {
    if (old.ring == entry.ring && old.pid == entry.pid && old.who == entry.who) {
      return per_second(entry.balance.received, old.balance.received, seconds);
    }
  }
  return 0;
}

/// head - cursor; a cursor read a moment later than head is not ahead of it.
std::uint64_t lag_of(const RingInfo& ring, const ConsumerEntry& entry) {
  const std::uint64_t lag = ring.head - entry.balance.cursor;
  return static_cast<std::int64_t>(lag) < 0 ? 0 : lag;
}

/// Whose ring cannot be asked: an anonymous one, as `evring stress` makes them.
std::vector<const ConsumerEntry*> consumers_of_hidden(const Sample& sample) {
  std::vector<const ConsumerEntry*> hidden;
  for (const ConsumerEntry& entry : sample.consumers) {
    const bool listed = std::any_of(sample.rings.begin(), sample.rings.end(),
                                    [&](const RingInfo& ring) { return ring.name == entry.ring; });
    if (!listed) hidden.push_back(&entry);
  }
  return hidden;
}

Json consumer_json(const Json& lag, const ConsumerEntry& entry, double rate) {
  return {{"who", entry.who},
          {"pid", entry.pid},
          {"rate_hz", rate},
          {"lag", lag},
          {"received", entry.balance.received},
          {"lost", entry.balance.lost},
          {"overruns", entry.balance.overruns},
          {"doorbells", entry.doorbells}};
}

void print_sample_json(const Sample& before, const Sample& now, double seconds) {
  Json rings = Json::array();
  for (const RingInfo& ring : now.rings) {
    Json json = to_json(ring);
    json["published_hz"] = ring_rate(ring, before, seconds);
    json["consumers"] = Json::array();
    for (const ConsumerEntry& entry : now.consumers) {
      if (entry.ring != ring.name) continue;
      json["consumers"].push_back(
          consumer_json(lag_of(ring, entry), entry, consumer_rate(entry, before, seconds)));
    }
    rings.push_back(std::move(json));
  }
  for (const ConsumerEntry* entry : consumers_of_hidden(now)) {
    const double rate = consumer_rate(*entry, before, seconds);
    rings.push_back({{"name", entry->ring},
                     {"anonymous", true},
                     {"consumers", Json::array({consumer_json(nullptr, *entry, rate)})}});
  }
  print_json({{"seconds", seconds}, {"rings", std::move(rings)}}, -1);
}

void print_consumer(const ConsumerEntry& entry, const std::string& lag, double rate) {
  print("  {:<24} {:>10} {:>16} {:>10} {:>10} {:>10} {:>10}\n",
        fmt::format("{} [{}]", entry.who, entry.pid), human_count(rate), entry.balance.received, "",
        lag, entry.balance.lost, entry.doorbells);
}

void print_sample(const Sample& before, const Sample& now, double seconds) {
  print("{:<26} {:>10} {:>16} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "RING / CONSUMER", "RATE/S",
        "EVENTS", "DROPPED", "LAG", "LOST", "DOORBELLS", "LOCK WAIT");
  for (const RingInfo& ring : now.rings) {
    print("{:<26} {:>10} {:>16} {:>10} {:>10} {:>10} {:>10} {:>10}\n", ring.name,
          human_count(ring_rate(ring, before, seconds)), ring.published(), ring.dropped, "", "",
          ring.doorbells_rung,
          ring.lock_contended == 0 ? "-" : human_ns(static_cast<double>(ring.lock_wait_ns)));
    for (const ConsumerEntry& entry : now.consumers) {
      if (entry.ring != ring.name) continue;
      print_consumer(entry, std::to_string(lag_of(ring, entry)),
                     consumer_rate(entry, before, seconds));
    }
  }
  const std::vector<const ConsumerEntry*> hidden = consumers_of_hidden(now);
  for (const ConsumerEntry* entry : hidden) {
    print("{}, anonymous\n", entry->ring);
    print_consumer(*entry, "-", consumer_rate(*entry, before, seconds));
  }
  if (now.rings.empty() && hidden.empty()) print("no rings; 'evring list' shows what there is\n");
}

int run_stat(AskedToShow& asked) {
  for (std::string& name : asked.names) name = ring_of(name).text();
  stop::watch_signals();
  const auto interval =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(asked.interval_s));
  Sample before = take_sample(asked);
  check_names(asked, before);
  const bool screen = asked.count != 1 && !asked.json && isatty(STDOUT_FILENO) == 1;
  for (std::uint64_t done = 0; asked.count == 0 || done < asked.count; ++done) {
    if (stop::sleep_for(interval)) break;
    Sample now = take_sample(asked);
    const double seconds = std::chrono::duration<double>(now.at - before.at).count();
    if (screen) write_out("\x1b[H\x1b[2J");  // home, clear
    if (asked.json) {
      print_sample_json(before, now, seconds);
    } else {
      print_sample(before, now, seconds);
    }
    flush_out();
    before = std::move(now);
  }
  return kFine;
}

void add_options(Options options, AskedToShow& asked) {
  options.texts("name", asked.names, "Devices and local:NAME; all of them by default");
  options.seconds("--interval", asked.interval_s, std::chrono::milliseconds(10),
                  std::chrono::hours(1), "Seconds over which a rate is taken");
  options.number("--count", asked.count, 0, UINT64_MAX, "How many reports; 0: until Ctrl-C");
  options.flag("--json", asked.json, "Print a line of JSON for each report");
}

}  // namespace

void add_stat(Program& program) {
  const auto once = std::make_shared<AskedToShow>();
  add_options(program.add("stat", "Show rate, lag, loss and doorbells of rings and consumers",
                          [once] { return run_stat(*once); }),
              *once);
  const auto live = std::make_shared<AskedToShow>();
  live->count = 0;
  add_options(program.add("top", "stat, again every second", [live] { return run_stat(*live); }),
              *live);
}

}  // namespace evring::cli
