// SPDX-License-Identifier: MIT
// `evring add` and `evring remove`: kernel devices, and a local ring that lives as
// long as the command runs in the foreground.
#include <evring/poller/cpu_list.hpp>
#include <memory>
#include <optional>

#include "cli/commands.hpp"
#include "cli/local_server.hpp"
#include "tool/kernel_access.hpp"
#include "tool/ring_options.hpp"

namespace evring::cli {
namespace {

struct AskedToAdd {
  std::string name;
  bool local = false;
  bool json = false;
  bool irq_line = false;
  bool drop_when_full = false;
  bool arm_ipi = false;
  bool wakes_in_irq = false;
  std::uint32_t source = EVRING_SOURCE_SOFT;
  RingShape shape;
  std::uint64_t rate_hz = 0;
  std::uint32_t batch_count = 1;
  std::optional<std::uint32_t> home_cpu;
};

int add_device(const AskedToAdd& asked) {
  DeviceConfig config;
  config.name = asked.name;
  config.source = asked.source;
  config.mode = asked.shape.mode;
  config.slot_count = asked.shape.slot_count;
  config.slot = asked.shape.slot;
  config.first_sequence = asked.shape.first_sequence;
  config.rate_hz = asked.rate_hz;
  config.batch_count = asked.batch_count;
  if (asked.home_cpu) config.home_cpu = *asked.home_cpu;
  if (asked.irq_line) config.flags |= EVRING_DEVICE_IRQ_LINE;
  if (asked.arm_ipi) config.flags |= EVRING_DEVICE_ARM_IPI;
  if (asked.wakes_in_irq) config.flags |= EVRING_DEVICE_WAKE_IN_IRQ;
  Control control = open_control();
  std::uint64_t id = 0;
  try {
    id = control.add(config);
  } catch (const std::system_error& error) {
    throw explain(fmt::format("device '{}'", asked.name), error);
  }
  if (asked.json) {
    print_json({{"name", asked.name},
                {"device_id", id},
                {"node", fmt::format("{}/{}", EVRING_DEVICE_DIR, asked.name)}});
  } else {
    print("{}/{}\n", EVRING_DEVICE_DIR, asked.name);
  }
  return kFine;
}

/// Events as the timer source of the module makes them: word 0 counts.
int serve_local(const AskedToAdd& asked) {
  stop::watch_signals();
  LocalServer server(asked.name, asked.shape);
  warn(fmt::format("local:{}: served until Ctrl-C on {}; 'evring inject local:{}' publishes there",
                   asked.name, local_socket_path(asked.name).string(), asked.name));
  if (asked.home_cpu) pin_this_thread(*asked.home_cpu);
  std::uint64_t count = 0;
  run_at_rate(asked.rate_hz, [&] {
    return server.publish(asked.batch_count, asked.drop_when_full, [&](AnyProducer& by) {
      auto reservation = by.reserve(asked.batch_count);
      for (std::uint64_t i = 0; i < reservation.count(); ++i) reservation.set_word(i, 0, count++);
      reservation.commit();
    });
  });
  server.print_balance(asked.json);
  return kFine;
}

int run_add(AskedToAdd& asked) {
  const RingName ring = ring_of(asked.name, asked.local);
  asked.local = ring.is_local;
  asked.name = ring.name;
  asked.shape.check(asked.local ? RingKind::kLocal : RingKind::kDevice);
  const bool timer = asked.source == EVRING_SOURCE_TIMER;
  if (!asked.local && !timer && (asked.rate_hz != 0 || asked.home_cpu)) {
    throw usage_error("--rate, --home-cpu", "a soft device has no timer", "add --source timer");
  }
  if (asked.local && asked.irq_line) {
    throw usage_error("--irq-line", "a local ring has no interrupt", "leave out --local");
  }
  if (asked.local && asked.arm_ipi) {
    throw usage_error("--barrier", "a local ring has no interrupt", "leave out --local");
  }
  if (asked.local && asked.wakes_in_irq) {
    throw usage_error("--wake", "a local ring has no interrupt", "leave out --local");
  }
  if (asked.batch_count > asked.shape.slot_count) {
    throw usage_error(
        "--batch",
        fmt::format("{} events do not fit in {} slots", asked.batch_count, asked.shape.slot_count),
        "take more slots");
  }
  return asked.local ? serve_local(asked) : add_device(asked);
}

void remove_device(const std::string& name) {
  Control control = open_control();
  try {
    control.remove(name);
  } catch (const std::system_error& error) {
    if (error.code().value() == ENOENT) {
      throw failure(fmt::format("device '{}'", name),
                    fmt::format("not found in {}", EVRING_DEVICE_DIR),
                    "'evring list' shows what is there");
    }
    if (error.code().value() == EPERM) {
      throw failure(fmt::format("device '{}'", name), "its driver owns it",
                    "unload that driver instead");
    }
    throw explain(fmt::format("device '{}'", name), error);
  }
}

int run_remove(const std::vector<std::string>& names) {
  std::vector<RingName> rings;  // all of them make sense, or none is removed
  for (const std::string& name : names) {
    rings.push_back(ring_of(name));
    if (rings.back().is_local) {
      throw usage_error(fmt::format("'{}'", name),
                        "a local ring ends with the process that serves it", "end that process");
    }
  }
  for (const RingName& ring : rings) remove_device(ring.name);
  return kFine;
}

}  // namespace

void add_add(Program& program) {
  const auto asked = std::make_shared<AskedToAdd>();
  Options options = program.add("add", "Make a kernel device, or serve a local ring",
                                [asked] { return run_add(*asked); });
  options.text("name", asked->name, "Name of the device, or of the local ring",
               Options::Need::kRequired);
  options.flag("--local", asked->local,
               "A local ring: no module, no root; served until Ctrl-C (also: local:NAME)");
  options.choice("--source", asked->source,
                 {{"soft", EVRING_SOURCE_SOFT}, {"timer", EVRING_SOURCE_TIMER}},
                 "soft (events are injected; default) or timer (a hard interrupt at --rate)");
  add_shape_options(options, asked->shape);
  options.number("--rate", asked->rate_hz, 0, EVRING_RATE_HZ_MAX,
                 "Batches a second from the timer; 0: stopped");
  options.number("--batch", asked->batch_count, 1, EVRING_BATCH_COUNT_MAX, "Events of one batch");
  options.number("--home-cpu", asked->home_cpu, 0, 65535,
                 "CPU of the timer, or of the local producer");
  options.flag("--irq-line", asked->irq_line,
               "soft: inject through an interrupt line of its own, seen in /proc/interrupts");
  options.choice("--barrier", asked->arm_ipi, {{"fence", false}, {"ipi", true}},
                 "Who pays when a consumer arms: fence (every publish; default), or ipi (an\n"
                 "interrupt to each CPU that publishes here)");
  options.choice("--wake", asked->wakes_in_irq, {{"thread", false}, {"irq", true}},
                 "Who wakes a parked consumer: thread (default), or irq (the interrupt that\n"
                 "published: sooner, but as long as whoever may read likes)");
  options.flag("--when-full-drop", asked->drop_when_full,
               "local gated: drop instead of waiting for the slowest consumer");
  options.flag("--json", asked->json, "Print JSON");
}

void add_remove(Program& program) {
  const auto names = std::make_shared<std::vector<std::string>>();
  program
      .add("remove", "Remove kernel devices; their consumers end cleanly",
           [names] { return run_remove(*names); })
      .texts("name", *names, "Devices", Options::Need::kRequired);
}

}  // namespace evring::cli
