// SPDX-License-Identifier: MIT
// evring_edu: interrupts of a real PCI device, by MSI, through the driver interface.
#include <poll.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

/// Makes each edu device raise one interrupt with `status`.
void raise_all(std::uint32_t status) {
  for (const auto& entry : std::filesystem::directory_iterator("/sys/bus/pci/drivers/evring_edu")) {
    const auto raise = entry.path() / "raise";
    if (std::filesystem::exists(raise)) std::ofstream(raise) << status << std::flush;
  }
}

class EduTest : public DeviceTest {};

TEST_F(EduTest, EveryInterruptBecomesAnEvent) {
  const Device device = Device::open("edu0");
  Consumer consumer(device.map(), StartAt::kNewest);
  constexpr std::uint32_t kCount = 100;
  for (std::uint32_t i = 1; i <= kCount; ++i) {
    raise_all(i);
    ASSERT_TRUE(eventually([&] { return consumer.lag() == i; })) << i;
  }
  Event event;
  std::uint64_t interrupts = 0;
  for (std::uint32_t i = 1; i <= kCount; ++i) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    std::uint64_t word[2];
    std::memcpy(word, event.payload.data(), sizeof(word));
    EXPECT_EQ(event.type, static_cast<std::uint32_t>(EVRING_EVENT_EDU));
    EXPECT_EQ(event.length_bytes, 16u);
    EXPECT_EQ(word[0], i);
    if (i > 1) {
      EXPECT_EQ(word[1], interrupts + 1);
    }
    interrupts = word[1];
  }
}

/// Of a driver that publishes many events for an interrupt, every one: with the parameter as
/// the module was loaded with.
TEST_F(EduTest, AnInterruptPublishesAllOfItsEvents) {
  std::uint64_t event_count = 0;
  std::ifstream("/sys/module/evring_edu/parameters/events_per_interrupt") >> event_count;
  ASSERT_GT(event_count, 0u);
  const Device device = Device::open("edu0");
  const std::uint64_t head = device.info().head;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    raise_all(1);
    ASSERT_TRUE(eventually([&] { return device.info().head >= head + i * event_count; }))
        << device.info().head - head << " of " << i * event_count;
  }
  EXPECT_EQ(device.info().head, head + 10 * event_count);
  EXPECT_EQ(device.info().dropped, 0u);
}

TEST_F(EduTest, TheEndOfABurstRingsWhoWaitsForMore) {
  const Device device = Device::open("edu0");
  const std::uint64_t rung = device.info().doorbells_rung;
  const std::uint64_t head = device.info().head;
  const evring_arm request{head, 10000000, 8, 10000};
  ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_ARM, &request), 0);
  raise_all(1);
  ASSERT_TRUE(eventually([&] { return device.info().head == head + 1; }));
  pollfd poller{device.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&poller, 1, 0), 0);
  raise_all(0x80000001);
  EXPECT_EQ(::poll(&poller, 1, 5000), 1);
  EXPECT_EQ(device.info().doorbells_rung, rung + 1);
}

TEST_F(EduTest, ComesByMsiAndStandsUnderItsPciDevice) {
  std::ifstream interrupts("/proc/interrupts");
  std::string line;
  int msi_lines = 0;
  while (std::getline(interrupts, line)) {
    msi_lines +=
        line.find("evring_edu") != std::string::npos && line.find("MSI") != std::string::npos;
  }
  EXPECT_EQ(msi_lines, 2);
  EXPECT_TRUE(std::filesystem::exists("/sys/class/evring/edu1/device/vendor"));
}

TEST_F(EduTest, BelongsToItsDriverAlone) {
  EXPECT_EQ(remove("edu0"), EPERM);
  EXPECT_EQ(Device::open("edu0").info().source, static_cast<std::uint32_t>(EVRING_SOURCE_DRIVER));
}

TEST_F(EduTest, UnbindingTheDriverEndsItsConsumers) {
  const Device device = Device::open("edu1");
  const Mapping mapping = device.map();
  const std::string pci =
      std::filesystem::canonical("/sys/class/evring/edu1/device").filename().string();
  std::ofstream("/sys/bus/pci/drivers/evring_edu/unbind") << pci << std::flush;
  EXPECT_EQ(gone(*mapping.header()), static_cast<std::uint64_t>(EVRING_GONE_REMOVED));
  evring_device_info info{};
  info.size = sizeof(info);
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_INFO, &info), ENODEV);
  std::ofstream("/sys/bus/pci/drivers/evring_edu/bind") << pci << std::flush;
  EXPECT_NO_THROW(Device::open("edu2"));
}

}  // namespace
}  // namespace evring::kernel_test
