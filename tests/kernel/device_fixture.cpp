// SPDX-License-Identifier: MIT
// See device_fixture.hpp.
#include "device_fixture.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace evring::kernel_test {

int ioctl_errno(int fd, unsigned long request, const void* argument) {
  return ::ioctl(fd, request, argument) < 0 ? errno : 0;
}

std::uint32_t rounds(std::uint32_t count) {
  static const bool slow = ::access("/sys/kernel/debug/kmemleak", F_OK) == 0;
  return slow ? (count + 3) / 4 : count;
}

evring_device_config soft_config(const std::string& name) {
  evring_device_config config{};
  config.size = sizeof(config);
  std::strncpy(config.name, name.c_str(), sizeof(config.name) - 1);
  config.source = EVRING_SOURCE_SOFT;
  config.slot_count = 64;
  config.slot_bytes = EVRING_SLOT_BYTES_DEFAULT;
  config.slot_format = EVRING_SLOT_FULL;
  config.home_cpu = EVRING_HOME_CPU_ANY;
  return config;
}

evring_device_config timer_config(const std::string& name, std::uint64_t rate_hz,
                                  std::uint32_t batch_count) {
  evring_device_config config = soft_config(name);
  config.source = EVRING_SOURCE_TIMER;
  config.rate_hz = rate_hz;
  config.batch_count = batch_count;
  return config;
}

namespace {

std::uint64_t checksum(std::uint32_t type, const std::uint64_t* word) {
  std::uint64_t sum = type;
  for (int i = 0; i < 4; ++i) sum = evring_pattern_word(sum ^ word[i], 1);
  return sum;
}

}  // namespace

InjectedEvent checked_event(std::uint32_t type, std::uint64_t number) {
  InjectedEvent event;
  event.type = type;
  for (std::uint32_t i = 0; i < 4; ++i) event.word[i] = evring_pattern_word(number, i);
  event.word[0] = number;
  event.word[4] = checksum(type, event.word.data());
  return event;
}

bool is_whole(const Event& event) {
  std::uint64_t word[5];
  if (event.length_bytes != sizeof(word)) return false;
  std::memcpy(word, event.payload.data(), sizeof(word));
  return word[4] == checksum(event.type, word);
}

evring_inject inject_request(const InjectedEvent* events, std::uint32_t event_count) {
  evring_inject request{};
  request.size = sizeof(request);
  request.event_count = event_count;
  request.event_bytes = sizeof(InjectedEvent);
  request.events = reinterpret_cast<std::uintptr_t>(events);
  return request;
}

std::uint64_t longest_section_bytes(const Device& device) {
  AnyConsumer consumer(device.map());
  std::map<std::uint64_t, std::uint64_t> section_bytes;
  AnyEvent event;
  while (consumer.try_read(event) == ReadStatus::kEvent) section_bytes[event.timestamp_ns] += 4096;
  std::uint64_t longest = 0;
  for (const auto& [timestamp_ns, bytes] : section_bytes) longest = std::max(longest, bytes);
  return longest;
}

std::uint64_t attribute(const std::string& device, const std::string& name) {
  std::ifstream file("/sys/class/evring/" + device + "/" + name);
  std::uint64_t value = 0;
  if (!(file >> value)) throw std::runtime_error("no attribute " + name + " of " + device);
  return value;
}

OnCpu::OnCpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_getaffinity(0, sizeof(before_), &before_) != 0 ||
      ::sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
  }
}
OnCpu::~OnCpu() { ::sched_setaffinity(0, sizeof(before_), &before_); }

Repeater::Repeater(std::function<void()> call)
    : thread_([this, call = std::move(call)] {
        const OnCpu on_cpu(1);
        while (!stop_.load(std::memory_order_relaxed)) call();
      }) {}
Repeater::~Repeater() {
  stop_ = true;
  thread_.join();
}

DeviceTest::DeviceTest() : control_(::open(EVRING_CONTROL_PATH, O_RDWR | O_CLOEXEC)) {
  if (!control_) throw std::runtime_error(EVRING_CONTROL_PATH ": is evring.ko loaded?");
}

DeviceTest::~DeviceTest() {
  for (const evring_device_info& device : Control().list()) {
    if (device.source != EVRING_SOURCE_DRIVER) remove(device.name);
  }
}

Device DeviceTest::add(std::function<void(evring_device_config&)> change, Device::Access access) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  evring_device_config config = soft_config(std::string(test->name()).substr(0, 31));
  if (change) change(config);
  const int error = ioctl_errno(control_.get(), EVRING_IOC_ADD, &config);
  if (error != 0) throw std::system_error(error, std::generic_category(), config.name);
  return Device::open(config.name, access);
}

int DeviceTest::remove(const std::string& name) {
  evring_device_name request{};
  request.size = sizeof(request);
  std::strncpy(request.name, name.c_str(), sizeof(request.name) - 1);
  return ioctl_errno(control_.get(), EVRING_IOC_REMOVE, &request);
}

void DeviceTest::arm(const Device& device, const evring_arm& request) {
  ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_ARM, &request), 0);
}

bool DeviceTest::has_rung(const Device& device, int timeout_ms) {
  pollfd poller{device.fd(), POLLIN, 0};
  return ::poll(&poller, 1, timeout_ms) == 1;
}

void DeviceTest::inject(Device& device, std::uint32_t event_count, std::uint64_t first_number) {
  std::vector<InjectedEvent> events;
  for (std::uint32_t i = 0; i < event_count; ++i) {
    events.push_back(checked_event(7, first_number + i));
  }
  device.inject(events.data(), event_count, sizeof(InjectedEvent));
}

}  // namespace evring::kernel_test
