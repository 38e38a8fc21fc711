// SPDX-License-Identifier: MIT
// A driver's module and its device: tests/kernel/driver/held_driver.c, loaded anew each time.
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "device_fixture.hpp"
#include "slow_page.hpp"

namespace evring::kernel_test {
namespace {

class DriverTest : public DeviceTest {
 protected:
  ~DriverTest() override {
    EXPECT_TRUE(eventually([] {
      const int error = unload_errno();
      return error == 0 || error == ENOENT;
    }));
  }
  static int load_errno(const char* parameters = "") {
    const FileDescriptor file(::open("/modules/held_driver.ko", O_RDONLY | O_CLOEXEC));
    return ::syscall(SYS_finit_module, file.get(), parameters, 0) == 0 ? 0 : errno;
  }
  static int unload_errno() {
    return ::syscall(SYS_delete_module, "held_driver", O_NONBLOCK) == 0 ? 0 : errno;
  }
  /// The driver unregisters its device; whether that was stopped then.
  static bool end() {
    std::ofstream file("/sys/module/held_driver/parameters/end");
    return static_cast<bool>(file << "1" << std::flush);
  }
  static bool is_stopping() {
    std::ifstream file("/sys/module/held_driver/parameters/stopping");
    return file.get() == 'Y';
  }
};

TEST_F(DriverTest, IsKeptByAnOpenDescriptor) {
  ASSERT_EQ(load_errno(), 0);
  auto device = std::make_unique<Device>(Device::open("held"));
  EXPECT_EQ(unload_errno(), EAGAIN);
  device.reset();
  EXPECT_TRUE(eventually([] { return unload_errno() == 0; }));
  EXPECT_THROW(Device::open("held"), std::system_error);
}

TEST_F(DriverTest, IsKeptByAMappingOfADeviceThatEnded) {
  ASSERT_EQ(load_errno(), 0);
  auto mapping = std::make_unique<Mapping>(Device::open("held").map());
  EXPECT_TRUE(end());
  EXPECT_EQ(gone(*mapping->header()), static_cast<std::uint64_t>(EVRING_GONE_REMOVED));
  EXPECT_EQ(unload_errno(), EAGAIN);
  mapping.reset();
  EXPECT_TRUE(eventually([] { return unload_errno() == 0; }));
}

TEST_F(DriverTest, IsNotAskedToInjectAfterTheEnd) {
  ASSERT_EQ(load_errno(), 0);
  const Device device = Device::open("held", Device::Access::kReadWrite);
  const InjectedEvent event;
  SlowPage page;
  auto* request = static_cast<evring_inject*>(page.memory());
  *request = inject_request(&event, 1);
  page.protect();
  int error = -1;
  std::thread injector([&] { error = ioctl_errno(device.fd(), EVRING_IOC_INJECT, request); });
  page.wait_for_fault();
  EXPECT_TRUE(end());
  page.release();
  injector.join();
  EXPECT_EQ(error, ENODEV);
}

TEST_F(DriverTest, IsStoppedWhenUnregisterReturnsThoughTheControlNodeWasFirst) {
  ASSERT_EQ(load_errno(), 0);
  int error = -1;
  std::thread remover([&] { error = remove("held"); });
  EXPECT_TRUE(eventually(is_stopping));
  EXPECT_TRUE(end());
  remover.join();
  EXPECT_EQ(error, 0);
}

TEST_F(DriverTest, CannotNameAHomeCpuThatIsNotThere) {
  EXPECT_EQ(load_errno("home_cpu=100000"), EINVAL);
  EXPECT_EQ(load_errno("home_cpu=0"), 0);
}

/// How many events the driver published when it was asked for one.
std::uint32_t published_by(Device& device) {
  const InjectedEvent event;
  return device.inject(&event, 1, sizeof(event)).published_count;
}

TEST_F(DriverTest, DropsAndCountsAnEventThatAFullGatedRingHasNoRoomFor) {
  ASSERT_EQ(load_errno(("mode=" + std::to_string(EVRING_MODE_GATED)).c_str()), 0);
  Device device = Device::open("held", Device::Access::kReadWrite);
  const Mapping mapping = device.map();
  GatedConsumer consumer(device.map(), device.register_cursor(StartAt::kOldest));
  for (int i = 0; i < 64; ++i) ASSERT_EQ(published_by(device), 1u);
  for (std::uint64_t dropped = 1; dropped <= 3; ++dropped) {
    EXPECT_EQ(published_by(device), 0u);
    EXPECT_EQ(read_status(*mapping.header(), 0)->block.dropped, dropped);
  }
  Event event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  consumer.commit();
  EXPECT_EQ(published_by(device), 1u);
  EXPECT_EQ(published_by(device), 0u);
  for (std::uint64_t sequence = 1; sequence <= 64; ++sequence) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_EQ(event.sequence, sequence);
    EXPECT_EQ(event.get<std::uint64_t>(), 0x0807060504030201ULL);
  }
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kEmpty);
}

/// Whether `bytes` begin with as many that are their place, from 1.
bool holds_places(std::span<const std::byte> bytes, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    if (bytes[i] != static_cast<std::byte>(i + 1)) return false;
  }
  return true;
}

TEST_F(DriverTest, CutsAPayloadThatIsLongerThanASlot) {
  for (const std::uint32_t format : {EVRING_SLOT_BARE, EVRING_SLOT_TIMESTAMP, EVRING_SLOT_FULL}) {
    const std::string parameters = "length_bytes=128 slot_format=" + std::to_string(format);
    ASSERT_EQ(load_errno(parameters.c_str()), 0);
    {
      Device device = Device::open("held", Device::Access::kReadWrite);
      const Mapping mapping = device.map();
      AnyConsumer consumer(mapping);
      const auto* next = reinterpret_cast<const std::uint64_t*>(mapping.slots()) + 8;
      const std::vector<std::uint64_t> before(next, next + 8);
      EXPECT_EQ(published_by(device), 1u);
      EXPECT_EQ(std::vector<std::uint64_t>(next, next + 8), before) << "written into another slot";
      AnyEvent event;
      ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
      EXPECT_EQ(event.length_bytes, mapping.geometry().slot.payload_bytes());
      EXPECT_TRUE(holds_places(event.payload, event.length_bytes));
    }
    ASSERT_TRUE(eventually([] { return unload_errno() == 0; }));
  }
}

TEST_F(DriverTest, FillsUpTheLastWordOfAPayloadWithZeroes) {
  for (const std::uint32_t length_bytes : {1u, 7u, 13u, 24u, 39u}) {
    ASSERT_EQ(load_errno(("length_bytes=" + std::to_string(length_bytes)).c_str()), 0);
    {
      Device device = Device::open("held", Device::Access::kReadWrite);
      Consumer consumer(device.map());
      EXPECT_EQ(published_by(device), 1u);
      Event event;
      ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
      EXPECT_EQ(event.length_bytes, length_bytes);
      EXPECT_TRUE(holds_places(event.payload, length_bytes));
      for (std::uint32_t i = length_bytes; i % 8 != 0; ++i)
        EXPECT_EQ(event.payload[i], std::byte{});
    }
    ASSERT_TRUE(eventually([] { return unload_errno() == 0; }));
  }
}

}  // namespace
}  // namespace evring::kernel_test
