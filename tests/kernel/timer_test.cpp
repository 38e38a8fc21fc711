// SPDX-License-Identifier: MIT
// The timer source: rate, payload, stopping, and its bound on the CPU.
#include <cstring>
#include <fstream>
#include <thread>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

using std::chrono::milliseconds;

class TimerTest : public DeviceTest {
 protected:
  Device add_timer(std::uint64_t rate_hz, std::uint32_t batch_count, std::uint32_t home_cpu) {
    return add([&](evring_device_config& c) {
      const std::string name = c.name;
      c = timer_config(name, rate_hz, batch_count);
      c.slot_count = 4096;
      c.home_cpu = home_cpu;
    });
  }
};

TEST_F(TimerTest, TicksAtItsRateWithAPatternThatCanBeVerified) {
  Device device = add_timer(1000, 4, 1);
  Consumer consumer(device.map());
  std::this_thread::sleep_for(milliseconds(1000));
  device.set_rate(0, 1);
  Event event;
  std::uint64_t last_ns = 0;
  while (consumer.try_read(event) == ReadStatus::kEvent) {
    ASSERT_EQ(event.type, static_cast<std::uint32_t>(EVRING_EVENT_TICK));
    ASSERT_EQ(event.length_bytes, static_cast<std::uint32_t>(EVRING_TICK_BYTES));
    for (std::uint32_t i = 0; i < 5; ++i) {
      std::uint64_t word;
      std::memcpy(&word, event.payload.data() + 8 * i, 8);
      ASSERT_EQ(word, evring_pattern_word(event.sequence, i));
    }
    ASSERT_GE(event.timestamp_ns, last_ns);
    last_ns = event.timestamp_ns;
  }
  const std::uint64_t head = device.info().head;
  EXPECT_EQ(consumer.received() + consumer.lost(), head);
  EXPECT_EQ(head % 4, 0u) << "whole batches";
  const std::uint64_t ticks = head / 4 + attribute(device.name(), "ticks_skipped");
  EXPECT_GT(ticks, 900u);
  EXPECT_LT(ticks, 3000u) << "an emulated guest may be late, not early";
}

TEST_F(TimerTest, TellsWhatItsInterruptsCost) {
  Device device = add_timer(1000, 32, 1);
  EXPECT_TRUE(eventually([&] { return device.info().head > 1000; }));
  device.set_rate(0, 1);
  const std::uint64_t publish_ns = attribute(device.name(), "publish_ns");
  EXPECT_GT(publish_ns, 0u);
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(attribute(device.name(), "publish_ns"), publish_ns) << "no interrupt, no cost";
}

TEST_F(TimerTest, StandsStillOnceItIsStopped) {
  Device device = add_timer(10000, 1, EVRING_HOME_CPU_ANY);
  EXPECT_TRUE(eventually([&] { return device.info().head > 10; }));
  device.set_rate(0, 1);
  const std::uint64_t head = device.info().head;
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(device.info().head, head);
  device.set_rate(1000, 2);
  EXPECT_TRUE(eventually([&] { return device.info().head > head + 10; }));
}

TEST_F(TimerTest, RefusesRatesOutOfBounds) {
  Device device = add_timer(0, 1, 0);
  const auto rate_errno = [&](std::uint64_t rate_hz, std::uint32_t batch, std::uint32_t flags) {
    const evring_rate rate{sizeof(rate), flags, rate_hz, batch, 0};
    return ioctl_errno(device.fd(), EVRING_IOC_SET_RATE, &rate);
  };
  EXPECT_EQ(rate_errno(EVRING_RATE_HZ_MAX + 1, 1, 0), ERANGE);
  EXPECT_EQ(rate_errno(1, EVRING_BATCH_COUNT_MAX + 1, 0), ERANGE);
  EXPECT_EQ(rate_errno(1, 0, 0), EINVAL);
  EXPECT_EQ(rate_errno(1, 1, 1), EINVAL);
  EXPECT_EQ(device.info().head, 0u);
  const InjectedEvent event;
  const evring_inject inject = inject_request(&event, 1);
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_INJECT, &inject), EOPNOTSUPP);
}

TEST_F(TimerTest, TheHighestRateLeavesTheMachineAlive) {
  Device device = add_timer(EVRING_RATE_HZ_MAX, EVRING_BATCH_COUNT_MAX, 0);
  Consumer consumer(device.map());
  std::this_thread::sleep_for(milliseconds(500));
  device.set_rate(0, 1);
  Event event;
  while (consumer.try_read(event) != ReadStatus::kEmpty) consumer.resync();
  EXPECT_EQ(consumer.cursor(), device.info().head);
  EXPECT_GT(attribute(device.name(), "ticks_skipped"), 0u);
}

TEST_F(TimerTest, ALongBatchIsWrittenInInterruptsThatAreBounded) {
  Device device = add([](evring_device_config& c) {
    const std::string name = c.name;
    c = timer_config(name, 1, EVRING_BATCH_COUNT_MAX);
    c.slot_count = 2048;
    c.slot_bytes = 4096;
    c.slot_format = EVRING_SLOT_TIMESTAMP;
  });
  EXPECT_TRUE(eventually([&] { return device.info().head >= EVRING_BATCH_COUNT_MAX; }));
  device.set_rate(0, 1);
  EXPECT_EQ(longest_section_bytes(device), EVRING_SECTION_BYTES);
}

/// Takes CPU 1 away for its life.
class CpuOffline {
 public:
  CpuOffline() { set_online(false); }
  ~CpuOffline() { set_online(true); }

 private:
  static void set_online(bool online) {
    std::ofstream file("/sys/devices/system/cpu/cpu1/online");
    if (!(file << online << std::flush)) throw std::runtime_error("cpu1/online");
  }
};

/// The CPU on which a timer of evring.ko waits to fire, or -1.
int cpu_of_timer() {
  std::ifstream file("/proc/timer_list");
  int cpu = -1;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("cpu: ", 0) == 0) cpu = std::stoi(line.substr(5));
    if (line.find(" tick [evring]") != std::string::npos) return cpu;
  }
  return -1;
}

TEST_F(TimerTest, GoesOnWhileItsHomeCpuIsOfflineAndComesBackWithIt) {
  Device device = add_timer(500, 1, 1);
  const auto goes_on = [&] {
    const std::uint64_t head = device.info().head;
    return eventually([&] { return device.info().head > head + 20; });
  };
  EXPECT_TRUE(eventually([] { return cpu_of_timer() == 1; }));
  {
    const CpuOffline offline;
    EXPECT_TRUE(goes_on());
    EXPECT_NO_THROW(device.set_rate(1000, 1));
    EXPECT_TRUE(goes_on()) << "a new rate";
  }
  EXPECT_TRUE(goes_on());
  EXPECT_TRUE(eventually([] { return cpu_of_timer() == 1; })) << "back at home";
}

TEST_F(TimerTest, ArmedConsumersGetOneDoorbellForManyTicks) {
  Device device = add_timer(2000, 1, 1);
  const evring_arm request{device.info().head, 10000000, 50, 10000};
  const std::uint64_t rung = device.info().doorbells_rung;
  ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_ARM, &request), 0);
  EXPECT_TRUE(eventually([&] { return device.info().doorbells_rung > rung; }));
  EXPECT_GE(device.info().head - request.cursor, 50u);
  EXPECT_EQ(device.info().doorbells_rung, rung + 1);
  EXPECT_GE(device.info().doorbells_suppressed, 40u);
}

TEST_F(TimerTest, GatedTicksAreDroppedAndCounted) {
  Device device = add([](evring_device_config& c) {
    const std::string name = c.name;
    c = timer_config(name, 1000, 8);
    c.mode = EVRING_MODE_GATED;
  });
  const DeviceCursor cursor = device.register_cursor(StartAt::kNewest);
  EXPECT_TRUE(eventually([&] { return device.info().dropped > 100; }));
  EXPECT_EQ(device.info().head, cursor.sequence() + 64);
}

}  // namespace
}  // namespace evring::kernel_test
