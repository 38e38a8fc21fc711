// SPDX-License-Identifier: MIT
// What the tests of evring.ko share: a fresh device for each test, raw ioctls with
// their errno, events with a checksum.
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>
#include <evring/device.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "../eventually.hpp"

namespace evring::kernel_test {

/// errno of an ioctl, or 0.
int ioctl_errno(int fd, unsigned long request, const void* argument = nullptr);

/// How often a loop goes round that does the same again: for the debug kernel a quarter of
/// `count`, for its detectors report what happens once, and it is slow.
std::uint32_t rounds(std::uint32_t count);

/// A configuration that EVRING_IOC_ADD takes: soft, 64 slots of 64 bytes.
evring_device_config soft_config(const std::string& name);
evring_device_config timer_config(const std::string& name, std::uint64_t rate_hz,
                                  std::uint32_t batch_count);

/// One event as EVRING_IOC_INJECT takes it; the last word is a checksum of the others.
struct InjectedEvent {
  std::uint32_t type = 0;
  std::uint32_t length_bytes = 40;
  std::array<std::uint64_t, 5> word{};
};
InjectedEvent checked_event(std::uint32_t type, std::uint64_t number);
bool is_whole(const Event& event);

/// evring_inject over `events`.
evring_inject inject_request(const InjectedEvent* events, std::uint32_t event_count);

/// Payload bytes of a slot of 4 KiB that carries a timestamp and no length, and of the
/// events that fill it as EVRING_IOC_INJECT takes them.
constexpr std::uint32_t kWideEventBytes = 4096 - 8;

/// The most bytes of slots with one timestamp, which is to say of one section, among the
/// events that a ring of 4 KiB slots holds.
std::uint64_t longest_section_bytes(const Device& device);

/// A value of /sys/class/evring/NAME/ATTRIBUTE.
std::uint64_t attribute(const std::string& device, const std::string& name);

/// Keeps the calling thread on one CPU for its life.
class OnCpu {
 public:
  explicit OnCpu(int cpu);
  ~OnCpu();
  OnCpu(const OnCpu&) = delete;
  OnCpu& operator=(const OnCpu&) = delete;

 private:
  cpu_set_t before_;
};

/// Calls `call` over and over until the end of its life, on CPU 1.
class Repeater {
 public:
  explicit Repeater(std::function<void()> call);
  ~Repeater();

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// Has the control node open, and removes what the test added.
class DeviceTest : public ::testing::Test {
 protected:
  DeviceTest();
  ~DeviceTest() override;

  /// Adds a device named after the test. `change` may edit the configuration.
  Device add(std::function<void(evring_device_config&)> change = {},
             Device::Access access = Device::Access::kReadWrite);
  int remove(const std::string& name);
  /// Arms the descriptor, and whether it has rung since.
  static void arm(const Device& device, const evring_arm& request);
  static bool has_rung(const Device& device, int timeout_ms = 0);
  void inject(Device& device, std::uint32_t event_count, std::uint64_t first_number = 0);

  FileDescriptor control_;
};

}  // namespace evring::kernel_test
