// SPDX-License-Identifier: MIT
// "interrupt": what an event costs its producer, in bursts (the case's burst count and rate, of
// bursts). Each of four runs on the first allowed CPU while a consumer spins on the last one,
// checks what it gets and counts what it lost. The variant says who: `timer`, the hard timer;
// `edu`, an interrupt of evring_edu.ko, whose events_per_interrupt is the burst count; `local-tick`
// and `local-edu`, a local producer of the same events.
#include <bench/guest/node.hpp>
#include <bench/rig/clock.hpp>
#include <bench/rig/threads.hpp>

#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace evring::bench {
namespace {

using Path = std::filesystem::path;

constexpr std::uint32_t kEduBytes = 16;
const Path kClass = "/sys/class/evring";
const Path kEdu = kClass / "edu0/device";

/// Spins on a ring from its newest event on, on a CPU of its own, until it is stopped.
class Spinner {
 public:
  explicit Spinner(Mapping mapping)
      : consumer_(std::move(mapping), StartAt::kNewest),
        thread_([this](const std::stop_token& stop) {
          pin_this_thread(allowed_cpus().back());
          while (!stop.stop_requested()) drain();
          drain();
        }) {}

  /// The record, once nothing is published any more.
  /// @param publish_ns  of all bursts together, each between two looks at the clock.
  /// @param doorbells   rung or suppressed: the producer saw somebody armed.
  Record finish(std::uint64_t publish_ns, std::uint64_t doorbells) {
    thread_.request_stop();
    thread_.join();
    const std::uint64_t published = consumer_.head() - consumer_.start();
    const std::uint64_t received = consumer_.received();
    const std::uint64_t lost = consumer_.lost();
    return {{"value", static_cast<double>(publish_ns) / static_cast<double>(published)},
            {"unit", "ns"},
            {"exact", published > 0 && received + lost == published && wrong_ + doorbells == 0},
            {"published", published},
            {"received", received},
            {"lost", lost},
            {"wrong", wrong_},
            {"doorbells", doorbells}};
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
  std::uint64_t wrong_ = 0;
  std::jthread thread_;
};

/// Keeps the producer's CPU awake for the case's time and calls `burst` at its rate.
template <class BurstFunction>
void pace(const Case& one, BurstFunction&& burst) {
  const auto end = Clock::now() + std::chrono::milliseconds(one.duration_ms);
  for (Pacer pacer(one.rate_hz); Clock::now() < end;) {
    pacer.wait();
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
Record measure_local(const Case& one) {
  const LocalRing ring = LocalRing::anonymous();
  Producer producer(ring);
  Spinner spinner(ring.mapping());
  Clock::duration spent{};
  pace(one, [&] {
    const auto begun = Clock::now();
    Producer::Reservation burst = producer.reserve(one.burst_count);
    for (std::uint64_t i = 0; i < burst.count(); ++i) kFill(burst, i);
    burst.commit();
    spent += Clock::now() - begun;
  });
  return spinner.finish(static_cast<std::uint64_t>(spent.count()),
                        producer.doorbells_rung() + producer.doorbells_suppressed());
}

std::uint64_t read_number(const Path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (!(file >> value)) throw std::runtime_error(path.string() + ": no number");
  return value;
}

std::uint64_t doorbells_of(const Device& device) {
  const evring_device_info info = device.info();
  return info.doorbells_rung + info.doorbells_suppressed;
}

Record measure_timer(const Case& one) {
  const auto burst_count = static_cast<std::uint32_t>(one.burst_count);
  const OwnDevice timer({.name = name_of_this_run(),
                         .source = EVRING_SOURCE_TIMER,
                         .batch_count = burst_count,
                         .home_cpu = static_cast<std::uint32_t>(allowed_cpus().front())});
  Device device = timer.open();
  Spinner spinner(device.map());
  device.set_rate(static_cast<std::uint64_t>(one.rate_hz), burst_count);
  pace(one, [] {});
  device.set_rate(0, burst_count);
  return spinner.finish(read_number(kClass / timer.name() / "publish_ns"), doorbells_of(device));
}

/// Interrupts of the edu devices on the producer's CPU.
void steer_edu() {
  std::ifstream lines("/proc/interrupts");
  for (std::string line; std::getline(lines, line);) {
    if (line.find("evring_edu") == std::string::npos) continue;
    const std::string number = std::to_string(std::stoul(line));
    std::ofstream("/proc/irq/" + number + "/smp_affinity_list")
        << allowed_cpus().front() << std::flush;
  }
}

Record measure_edu(const Case& one) {
  const Path parameter = "/sys/module/evring_edu/parameters/events_per_interrupt";
  if (read_number(parameter) != one.burst_count) {
    throw std::invalid_argument(parameter.string() + " is not the burst count");
  }
  steer_edu();
  const Device device = Device::open("edu0");
  const FileDescriptor raise = open_node(kEdu / "raise", O_WRONLY);
  const std::uint64_t before_ns = read_number(kEdu / "publish_ns");
  const std::uint64_t before_doorbells = doorbells_of(device);
  Spinner spinner(device.map());
  pace(one, [&] {
    if (::pwrite(raise.get(), "1", 1, 0) != 1) require(errno, "raise");
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // the last one
  return spinner.finish(read_number(kEdu / "publish_ns") - before_ns,
                        doorbells_of(device) - before_doorbells);
}

}  // namespace

Record run_interrupt(const Case& asked) {
  if (allowed_cpus().size() < 2) throw std::runtime_error("the consumer needs a CPU of its own");
  Case one = asked;
  if (one.rate_hz <= 0) one.rate_hz = 2000;
  pin_this_thread(allowed_cpus().front());
  if (one.variant == "local-tick") return measure_local<fill_tick>(one);
  if (one.variant == "local-edu") return measure_local<fill_edu>(one);
  if (one.variant == "timer") return measure_timer(one);
  if (one.variant == "edu") return measure_edu(one);
  throw std::invalid_argument("interrupt: variants are local-tick, timer, local-edu and edu");
}

}  // namespace evring::bench
