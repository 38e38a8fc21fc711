// SPDX-License-Identifier: MIT
// Kernel devices, filled from interrupt context and read by the same pollers: a
// hard timer, QEMU's edu PCI device by MSI, and a soft device under ten processes.
#include "demo.hpp"
#include "injectors.hpp"
#include "reader.hpp"
#include "table.hpp"

#include <evring/device.hpp>
#include <evring/poller/cpu_list.hpp>
#include <evring/status.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

namespace evring::demo {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr unsigned kInjectorCount = 10;
constexpr std::uint64_t kTimerRateHz = 2000;
constexpr std::uint32_t kTimerBatch = 4;
constexpr std::uint64_t kSlowTimerRateHz = 100;

/// A device that exists while this object does.
class TemporaryDevice {
 public:
  explicit TemporaryDevice(DeviceConfig config) : name_(config.name) { control_.add(config); }
  TemporaryDevice(const TemporaryDevice&) = delete;
  TemporaryDevice& operator=(const TemporaryDevice&) = delete;
  ~TemporaryDevice() {
    try {
      control_.remove(name_);
    } catch (const std::exception& error) {
      fmt::print(stderr, "evring_demo: {}\n", error.what());
    }
  }

 private:
  Control control_;
  std::string name_;
};

/// The file that makes the first edu device raise its interrupt; nothing without one.
std::optional<fs::path> find_edu() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/sys/bus/pci/drivers/evring_edu", ignored)) {
    if (fs::exists(entry.path() / "raise")) return entry.path() / "raise";
  }
  return std::nullopt;
}

/// Raises interrupts one at a time: those that come together, the device merges.
class EduRaiser {
 public:
  explicit EduRaiser(fs::path file) : file_(std::move(file)) {}
  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      const Mapping mapping = Device::open("edu0").map();
      while (!stop.stop_requested()) {
        const std::uint64_t head = head_of(mapping);
        std::ofstream(file_) << 1 + raised_ % 1000;
        ++raised_;
        for (int i = 0; i < 1000 && head_of(mapping) == head; ++i) {
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
      }
    });
  }
  /// @return how many it raised.
  std::uint64_t stop() {
    thread_.request_stop();
    thread_.join();
    return raised_;
  }

 private:
  static std::uint64_t head_of(const Mapping& mapping) {
    return load_acquire(reinterpret_cast<const std::uint64_t*>(&mapping.header()->head));
  }
  fs::path file_;
  std::uint64_t raised_ = 0;
  std::jthread thread_;
};

Reader::Check check_of(const std::string& device) {
  if (device.starts_with("soft")) return Reader::Check::kPayload;
  return device.starts_with("timer") ? Reader::Check::kTick : Reader::Check::kNothing;
}

Readers make_readers(const std::vector<std::string>& devices, WaitStrategy strategy) {
  Readers readers;
  for (const unsigned cpu : reader_cpus(2)) {
    readers.push_back(std::make_unique<Reader>(cpu, strategy));
    for (const std::string& device : devices) {
      readers.back()->add(PollSource::open(device), check_of(device));
    }
  }
  return readers;
}

std::string source_text(const std::string& device) {
  if (device.starts_with("timer")) return "hard timer";
  if (device.starts_with("edu")) return "PCI device, MSI";
  return fmt::format("{} processes, ioctl", kInjectorCount);
}

/// One line per device: what went in, what came out to all consumers, and at what cost.
bool print_devices(const std::vector<std::string>& devices, const Readers& readers, double seconds,
                   const Injected& injected) {
  Table table({"device", "filled by", "published", "dropped", "delivered", "lost", "max lag",
               "waited for lock"});
  const std::vector<ConsumerAccount> accounts = accounts_of(readers);
  bool producers_hold = true;
  for (const std::string& name : devices) {
    const Device device = Device::open(name);
    const Mapping mapping = device.map();
    const auto status = read_status(*mapping.header(), mapping.geometry().first_sequence, 1000000);
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    std::uint64_t lag_max = 0;
    for (const ConsumerAccount& account : accounts) {
      if (account.ring != name) continue;
      delivered += account.received;
      lost += account.lost;
      lag_max = std::max(lag_max, account.lag_max);
    }
    const std::uint64_t published = status ? status->published : 0;
    const std::uint64_t dropped = status ? status->block.dropped : 0;
    if (name.starts_with("soft")) {
      producers_hold = status && published == injected.published && dropped == injected.dropped;
    }
    table.add({name, source_text(name), format_rate(static_cast<double>(published) / seconds),
               format_count(dropped), format_rate(static_cast<double>(delivered) / seconds),
               format_share(lost, lost + delivered), format_count(lag_max),
               fmt::format("{:.3f} s",
                           status ? 1e-9 * static_cast<double>(status->block.lock_wait_ns) : 0)});
  }
  table.print();
  return producers_hold;
}

void print_pollers(const Readers& readers) {
  Table table({"poller", "events", "doorbells", "parks", "wake-ups", "spurious", "completions"});
  for (const auto& reader : readers) {
    const PollerCounters& counters = reader->poller().counters();
    table.add({fmt::format("CPU {}", reader->cpu()), format_count(counters.events),
               format_count(counters.doorbells), format_count(counters.parks),
               format_count(counters.wakes), format_count(counters.spurious_wakes),
               format_count(counters.completions)});
  }
  table.print();
  const RungChoice& rung = readers.front()->poller().rung(0);
  print_text(fmt::format("Doorbells come by {}: {}.", to_string(rung.rung), rung.reason));
}

/// Everything at once.
bool show_load(const std::optional<fs::path>& edu, milliseconds duration) {
  print_heading("Interrupts into rings, out to pinned pollers");
  print_text(fmt::format(
      "A hard timer publishes {} events {} times a second from interrupt context; the edu PCI "
      "device raises an MSI as soon as the last one was served; ten processes hammer a soft "
      "device. Each poller, pinned to a CPU, reads all of them through read-only mappings: no "
      "system call while there is work.",
      kTimerBatch, kTimerRateHz));
  DeviceConfig timer{.name = "timer0", .source = EVRING_SOURCE_TIMER};
  timer.batch_count = kTimerBatch;
  const TemporaryDevice timer_device(timer);
  const TemporaryDevice soft_device({.name = "soft0"});
  std::vector<std::string> devices{"timer0", "soft0"};
  if (edu) devices.insert(devices.begin() + 1, "edu0");

  Injectors injectors("soft0", kInjectorCount);  // forks, so before there are threads
  Readers readers = make_readers(devices, WaitStrategy::kAdaptive);
  for (const auto& reader : readers) reader->start();
  const auto begin = Clock::now();
  std::optional<EduRaiser> raiser;
  if (edu) raiser.emplace(*edu).start();
  Device::open("timer0", Device::Access::kReadWrite).set_rate(kTimerRateHz, kTimerBatch);
  injectors.go();
  std::this_thread::sleep_for(duration);
  const Injected injected = injectors.stop();
  Device::open("timer0", Device::Access::kReadWrite).set_rate(0, kTimerBatch);
  const std::uint64_t raised = raiser ? raiser->stop() : 0;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  for (const auto& reader : readers) reader->stop();

  bool all_hold = print_devices(devices, readers, seconds, injected);
  print_text(fmt::format(
      "Ten processes offered {}, of which {} were published and {} dropped: {}. "
      "The edu device was made to interrupt {} times.",
      format_count(injected.offered), format_count(injected.published),
      format_count(injected.dropped),
      injected.holds() && all_hold ? "it adds up" : "IT DOES NOT ADD UP", format_count(raised)));
  all_hold = all_hold && injected.holds();
  fmt::print("The balance of each consumer\n");
  return print_accounts(accounts_of(readers)) && all_hold;
}

/// A slow timer and an occasional MSI: pollers sleep in between.
bool show_sleep(const std::optional<fs::path>& edu, milliseconds duration) {
  print_heading("A quiet time: arm, park, wake");
  print_text(fmt::format(
      "The timer at {} Hz, nothing else. A poller that has seen nothing for 50 us arms each device "
      "and sleeps in one io_uring_enter; the interrupt rings one doorbell.",
      kSlowTimerRateHz));
  DeviceConfig timer{.name = "timer0", .source = EVRING_SOURCE_TIMER};
  const TemporaryDevice timer_device(timer);
  std::vector<std::string> devices{"timer0"};
  if (edu) devices.emplace_back("edu0");
  Readers readers = make_readers(devices, WaitStrategy::kAdaptive);
  for (const auto& reader : readers) reader->start();
  Device::open("timer0", Device::Access::kReadWrite).set_rate(kSlowTimerRateHz, 1);
  std::this_thread::sleep_for(duration);
  Device::open("timer0", Device::Access::kReadWrite).set_rate(0, 1);
  for (const auto& reader : readers) reader->stop();
  print_pollers(readers);
  fmt::print("The balance of each consumer\n");
  return print_accounts(accounts_of(readers));
}

}  // namespace

bool run_kernel(milliseconds each) {
  const std::optional<fs::path> edu = find_edu();
  if (!edu) {
    fmt::print(stderr,
               "evring_demo: no PCI device is bound to evring_edu; give QEMU -device edu\n");
  }
  const bool load = show_load(edu, each);
  const bool sleep = show_sleep(edu, std::min(each, milliseconds(1000)));
  return load && sleep && edu.has_value();
}

}  // namespace evring::demo
