// SPDX-License-Identifier: MIT
// `evring watch`: prints events of one or several rings as they come, losses where
// they happened, and the balance at the end. Parks when nothing comes.
#include <algorithm>
#include <evring/poller/encode.hpp>
#include <evring/poller/poller.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "tool/kernel_access.hpp"

namespace evring::cli {
namespace {

struct AskedToWatch {
  std::vector<std::string> names;
  std::string start = "newest";
  std::uint64_t count = 0;  ///< 0: until Ctrl-C or the rings are gone
  bool local = false;
  bool json = false;
  bool quiet = false;
  bool fail_on_loss = false;
};

LinkOptions link_options(const std::string& start) {
  if (start == "oldest") return {.start_at = StartAt::kOldest};
  if (start == "newest") return {.start_at = StartAt::kNewest};
  try {
    return {.start_at = StartAt::kSequence, .sequence = parse_number(start, 0, UINT64_MAX)};
  } catch (const std::invalid_argument&) {
    throw usage_error("--start", fmt::format("'{}' is no place to start", start),
                      "give oldest, newest or a sequence");
  }
}

class Watch {
 public:
  explicit Watch(const AskedToWatch& asked) : asked_(asked), poller_(poller_options()) {
    const LinkOptions options = link_options(asked.start);
    for (const std::string& name : asked.names) {
      const RingName ring = ring_of(name, asked.local);
      poller_.add(open(ring, options));
    }
    if (!poller_.post_refusal().empty()) warn("not shown to stat: " + poller_.post_refusal());
  }

  int run() {
    report(kFine, [this] { show_all(); });
    return report(verdict(), [this] { print_balances(); });
  }

 private:
  /// While it lives, Ctrl-C ends the poller's run.
  struct Stopping {
    explicit Stopping(AnyPoller& poller) {
      stop::on_request([](void* each) { static_cast<AnyPoller*>(each)->request_stop(); }, &poller);
    }
    ~Stopping() { stop::on_request(nullptr, nullptr); }
    Stopping(const Stopping&) = delete;
    Stopping& operator=(const Stopping&) = delete;
  };

  void show_all() {
    const auto handler = [this](unsigned ring, std::span<const AnyEvent> events) {
      show(ring, events);
    };
    {
      const Stopping stopping(poller_);
      poller_.run(std::stop_token{}, handler);
    }
    if (!enough()) poller_.drain(handler);
  }

  AnyPollSource open(const RingName& ring, const LinkOptions& options) {
    try {
      return AnyPollSource::from(open_ring(ring, options));
    } catch (const std::out_of_range& error) {
      throw failure("--start", error.what(), "start at oldest or newest");
    }
  }

  PollerOptions poller_options() {
    PollerOptions options;
    options.name = "evring watch";
    options.strategy = WaitStrategy::kAdaptive;
    options.burst_count = asked_.count == 0 ? 64 : 1;  // never reads more than it prints
    options.on_overrun = [this](unsigned ring, std::uint64_t lost) { show_loss(ring, lost); };
    options.on_gone = [this](unsigned ring, GoneReason reason) { show_gone(ring, reason); };
    return options;
  }

  bool enough() const noexcept { return asked_.count != 0 && shown_count_ >= asked_.count; }

  void show(unsigned ring, std::span<const AnyEvent> events) {
    for (const AnyEvent& event : events) {
      if (enough()) return;
      ++shown_count_;
      if (!asked_.quiet) show_event(poller_.link(ring), event);
    }
    flush_out();
    if (enough()) poller_.request_stop();
  }

  void show_event(const RingLink& link, const AnyEvent& event) {
    const SlotFormat format = link.mapping().geometry().slot.format();
    line_.clear();
    if (asked_.json) {
      JsonLine(line_).text("ring", link.name()).event(event, format).end();
    } else {
      append_for_people(link.name(), event, format);
    }
    write_out(line_);
  }

  void append_for_people(const std::string& ring, const AnyEvent& event, SlotFormat format) {
    line_ += fmt::format("{} {} ", ring, event.sequence);
    if (has_timestamp(format)) {
      line_ += fmt::format("{}.{:09} ", event.timestamp_ns / 1'000'000'000,
                           event.timestamp_ns % 1'000'000'000);
    }
    if (format == SlotFormat::kFull) line_ += fmt::format("type {} ", event.type);
    append_payload(line_, event.bytes());
    line_ += '\n';
  }

  void show_loss(unsigned ring, std::uint64_t lost) {
    if (lost == 0) return;
    const std::uint64_t cursor = poller_.consumer(ring).cursor();
    if (asked_.json) {
      print_json({{"ring", poller_.link(ring).name()}, {"lost", lost}, {"cursor", cursor}}, -1);
    } else {
      print("-- {}: lost {} events, goes on at {}\n", poller_.link(ring).name(), lost, cursor);
    }
    flush_out();
  }

  void show_gone(unsigned ring, GoneReason reason) const {
    if (asked_.json) {
      print_json({{"ring", poller_.link(ring).name()}, {"gone", to_string(reason)}}, -1);
    } else {
      print("-- {}: {}\n", poller_.link(ring).name(), to_string(reason));
    }
    flush_out();
  }

  int verdict() const {
    bool lossless = true;
    for (unsigned ring = 0; ring < poller_.ring_count(); ++ring) {
      const Balance balance = poller_.consumer(ring).balance();
      if (!balance.balanced()) return kError;
      lossless = lossless && balance.lost == 0;
    }
    return asked_.fail_on_loss && !lossless ? kLoss : kFine;
  }

  void print_balances() const {
    for (unsigned ring = 0; ring < poller_.ring_count(); ++ring) {
      print_balance(ring, poller_.consumer(ring).balance());
    }
  }

  void print_balance(unsigned ring, const Balance& balance) const {
    const std::uint64_t doorbells = poller_.counters(ring).doorbells;
    if (asked_.json) {
      const Json account = {{"start", balance.start},        {"cursor", balance.cursor},
                            {"received", balance.received},  {"lost", balance.lost},
                            {"overruns", balance.overruns},  {"doorbells", doorbells},
                            {"balanced", balance.balanced()}};
      print_json({{"ring", poller_.link(ring).name()}, {"balance", account}}, -1);
      return;
    }
    print("-- {}: received {} + lost {} = {} (from {} to {}), overruns {}, doorbells {} by {}{}\n",
          poller_.link(ring).name(), balance.received, balance.lost, balance.cursor - balance.start,
          balance.start, balance.cursor, balance.overruns, doorbells,
          to_string(poller_.rung(ring).rung), balance.balanced() ? "" : ": UNBALANCED");
  }

  const AskedToWatch& asked_;
  AnyPoller poller_;
  std::uint64_t shown_count_ = 0;
  std::string line_;  ///< of the event that is shown
};

}  // namespace

void add_watch(Program& program) {
  const auto asked = std::make_shared<AskedToWatch>();
  Options options = program.add("watch", "Print events as they come, and what was lost", [asked] {
    stop::watch_signals();
    return Watch(*asked).run();
  });
  options.texts("name", asked->names, "Devices, or local:NAME for local rings",
                Options::Need::kRequired);
  options.flag("--local", asked->local, "The names are local rings");
  options.text("--start", asked->start, "oldest, newest or a sequence");
  options.number("--count", asked->count, 0, UINT64_MAX, "End after so many events; 0: do not");
  options.flag("--quiet", asked->quiet, "Losses and the balance only");
  options.flag("--fail-on-loss", asked->fail_on_loss, "Exit 3 when events were lost");
  options.flag("--json", asked->json, "Print a line of JSON for each event, loss and balance");
  options.footer("Exit codes: 0 fine, 1 error, 2 usage, 3 loss under --fail-on-loss.");
}

}  // namespace evring::cli
