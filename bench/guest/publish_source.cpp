// SPDX-License-Identifier: MIT
// The same burst by three producers; see publish_source.hpp.
#include "publish_source.hpp"

#include <evring/consumer.hpp>
#include <evring/device.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "cpus.hpp"

namespace evring::publish {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kDeviceName = "publish";
constexpr const char* kEduName = "edu0";
constexpr std::uint32_t kEduBytes = 16;

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw std::system_error(errno, std::generic_category(), "CPU " + std::to_string(cpu));
  }
}

/// Taken before anything is pinned.
const std::vector<int>& cpus() {
  static const std::vector<int> all = compare::allowed_cpus();
  return all;
}
int producer_cpu() { return cpus().front(); }
int consumer_cpu() { return cpus().back(); }

/// Spins on a ring from its newest event on, on a CPU of its own.
class Spinner {
 public:
  explicit Spinner(Mapping mapping)
      : consumer_(std::move(mapping), StartAt::kNewest), cpu_(consumer_cpu()), thread_([this] {
          pin(cpu_);
          while (!stop_.load(std::memory_order_relaxed)) drain();
          drain();
        }) {}
  Spinner(const Spinner&) = delete;
  Spinner& operator=(const Spinner&) = delete;
  ~Spinner() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  /// Nothing is published any more. Fills in what this consumer knows.
  void finish(Cost& cost) {
    stop_ = true;
    thread_.join();
    cost.published = consumer_.head() - consumer_.start();
    cost.received = consumer_.received();
    cost.lost = consumer_.lost();
    cost.exact = cost.published > 0 && wrong_ == 0 && consumer_.balance().balanced() &&
                 cost.received + cost.lost == cost.published;
  }

 private:
  void drain() {
    for (;;) {
      const Burst burst =
          consumer_.visit_burst(64, is_right, [this](bool right) { wrong_ += right ? 0U : 1U; });
      if (burst.status == ReadStatus::kEmpty) return;
      if (burst.status == ReadStatus::kOverrun) consumer_.resync();
    }
  }
  static bool is_right(const SlotView<DefaultSlot>& slot) {
    if (slot.type() == EVRING_EVENT_EDU) return slot.length_bytes() == kEduBytes;
    return slot.type() == EVRING_EVENT_TICK &&
           slot.word(0) == evring_pattern_word(slot.sequence(), 0) &&
           slot.word(4) == evring_pattern_word(slot.sequence(), 4);
  }

  Consumer consumer_;
  int cpu_;
  std::uint64_t wrong_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// Keeps the producer's CPU awake for the load's time and calls `burst` at its rate.
template <class BurstFunction>
void pace(const Load& load, BurstFunction&& burst) {
  const auto period = std::chrono::nanoseconds(1'000'000'000 / load.rate_hz);
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(load.seconds));
  for (auto next = start + period; next < end; next += period) {
    while (Clock::now() < next) __builtin_ia32_pause();
    burst();
  }
}

void fill_tick(Producer::Reservation& burst, std::uint64_t index) {
  burst.set_type(index, EVRING_EVENT_TICK, EVRING_TICK_BYTES);
  for (std::uint32_t word = 0; word < EVRING_TICK_BYTES / 8; ++word) {
    burst.set_word(index, word, evring_pattern_word(burst.sequence(index), word));
  }
}

void fill_edu(Producer::Reservation& burst, std::uint64_t index) {
  burst.set_type(index, EVRING_EVENT_EDU, kEduBytes);
  burst.set_word(index, 0, 1);
  burst.set_word(index, 1, burst.sequence(index));
}

template <auto kFill>
Cost measure_local(const Load& load) {
  pin(producer_cpu());
  const LocalRing ring = LocalRing::anonymous();
  Producer producer(ring);
  Spinner spinner(ring.mapping());
  Cost cost;
  pace(load, [&] {
    const auto start = Clock::now();
    Producer::Reservation burst = producer.reserve(load.batch_count);
    for (std::uint64_t i = 0; i < burst.count(); ++i) kFill(burst, i);
    burst.commit();
    cost.publish_ns += static_cast<std::uint64_t>((Clock::now() - start).count());
  });
  spinner.finish(cost);
  cost.doorbells = producer.doorbells_rung() + producer.doorbells_suppressed();
  return cost;
}

std::uint64_t read_number(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (!(file >> value)) throw std::runtime_error(path + ": no number");
  return value;
}

std::uint64_t doorbells_of(const Device& device) {
  const evring_device_info info = device.info();
  return info.doorbells_rung + info.doorbells_suppressed;
}

Cost measure_timer(const Load& load) {
  pin(producer_cpu());
  Control control;
  control.add({.name = kDeviceName,
               .source = EVRING_SOURCE_TIMER,
               .batch_count = load.batch_count,
               .home_cpu = static_cast<std::uint32_t>(producer_cpu())});
  Cost cost;
  try {
    Device device = Device::open(kDeviceName, Device::Access::kReadWrite);
    Spinner spinner(device.map());
    device.set_rate(load.rate_hz, load.batch_count);
    pace(load, [] {});
    device.set_rate(0, load.batch_count);
    spinner.finish(cost);
    cost.doorbells = doorbells_of(device);
    cost.publish_ns = read_number(std::string("/sys/class/evring/") + kDeviceName + "/publish_ns");
  } catch (...) {
    control.remove(kDeviceName);
    throw;
  }
  control.remove(kDeviceName);
  return cost;
}

const std::filesystem::path& edu_folder() {
  static const std::filesystem::path folder =
      std::filesystem::path("/sys/class/evring") / kEduName / "device";
  return folder;
}

/// Interrupts of the edu devices on the producer's CPU.
void steer_edu() {
  std::ifstream lines("/proc/interrupts");
  for (std::string line; std::getline(lines, line);) {
    if (line.find("evring_edu") == std::string::npos) continue;
    const std::string number = std::to_string(std::stoul(line));
    std::ofstream("/proc/irq/" + number + "/smp_affinity_list") << producer_cpu() << std::flush;
  }
}

Cost measure_edu(const Load& load) {
  pin(producer_cpu());
  steer_edu();
  const Device device = Device::open(kEduName);
  const FileDescriptor raise(::open((edu_folder() / "raise").c_str(), O_WRONLY));
  const std::string count_path = edu_folder() / "publish_ns";
  const std::uint64_t before_ns = read_number(count_path);
  const std::uint64_t before_doorbells = doorbells_of(device);
  Cost cost;
  Spinner spinner(device.map());
  pace(load, [&] {
    if (::pwrite(raise.get(), "1", 1, 0) != 1) {
      throw std::system_error(errno, std::generic_category(), "raise");
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // the last one
  spinner.finish(cost);
  cost.doorbells = doorbells_of(device) - before_doorbells;
  cost.publish_ns = read_number(count_path) - before_ns;
  return cost;
}

}  // namespace

std::vector<Source> find_sources(const Load& load) {
  if (cpus().size() < 2) throw std::runtime_error("the consumer needs a CPU of its own");
  std::vector<Source> sources{{"local-tick", measure_local<fill_tick>}, {"timer", measure_timer}};
  if (!std::filesystem::exists(edu_folder())) return sources;
  const std::string parameter = "/sys/module/evring_edu/parameters/events_per_interrupt";
  if (read_number(parameter) != load.batch_count) {
    throw std::invalid_argument(parameter + " is not " + std::to_string(load.batch_count));
  }
  sources.push_back({"local-edu", measure_local<fill_edu>});
  sources.push_back({"edu", measure_edu});
  return sources;
}

std::string local_of(const std::string& name) {
  return name == "edu" || name == "local-edu" ? "local-edu" : "local-tick";
}

}  // namespace evring::publish
