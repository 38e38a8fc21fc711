// SPDX-License-Identifier: MIT
// Injecting into a soft device: what arrives, what is refused, and the account of both.
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

class InjectTest : public DeviceTest {
 protected:
  int inject_errno(Device& device, const std::function<void(evring_inject&)>& change) {
    std::vector<InjectedEvent> events(4, checked_event(7, 1));
    evring_inject request = inject_request(events.data(), 4);
    change(request);
    return ioctl_errno(device.fd(), EVRING_IOC_INJECT, &request);
  }
};

TEST_F(InjectTest, DeliversWholeEventsInOrder) {
  Device device = add();
  Consumer consumer(device.map());
  inject(device, 5);
  inject(device, 20, 5);
  Event event;
  for (std::uint64_t number = 0; number < 25; ++number) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_TRUE(is_whole(event));
    EXPECT_EQ(event.sequence, number);
    EXPECT_EQ(event.type, 7u);
    EXPECT_GT(event.timestamp_ns, 0u);
  }
  EXPECT_EQ(consumer.try_read(event), ReadStatus::kEmpty);
}

TEST_F(InjectTest, CountsExactlyWhatALappedConsumerLost) {
  Device device = add();
  Consumer consumer(device.map());
  for (int i = 0; i < 10; ++i) inject(device, 20, 20 * i);
  Event event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kOverrun);
  EXPECT_EQ(consumer.resync(), 200u - 64);
  while (consumer.try_read(event) == ReadStatus::kEvent) EXPECT_TRUE(is_whole(event));
  EXPECT_EQ(consumer.received() + consumer.lost(), 200u);
}

TEST_F(InjectTest, PublishesABatchLargerThanTheRing) {
  Device device = add([](auto& c) { c.slot_count = 2; });
  Consumer consumer(device.map());
  inject(device, 1024);
  EXPECT_EQ(consumer.head(), 1024u);
  consumer.resync();
  Event event;
  while (consumer.try_read(event) == ReadStatus::kEvent) EXPECT_TRUE(is_whole(event));
  EXPECT_EQ(consumer.received() + consumer.lost(), 1024u);
}

TEST_F(InjectTest, WrapsAroundTheEndOfSequences) {
  Device device = add([](auto& c) { c.first_sequence = ~0ULL - 10; });
  Consumer consumer(device.map());
  inject(device, 30);
  Event event;
  for (std::uint64_t i = 0; i < 30; ++i) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent) << i;
    EXPECT_EQ(event.sequence, ~0ULL - 10 + i);
    EXPECT_TRUE(is_whole(event));
  }
  EXPECT_EQ(device.info().head, 19u);
}

TEST_F(InjectTest, GivesNoEventsOutOfNothingInBurstsAcrossEveryWrap) {
  for (const std::uint64_t edge : {1ULL << 32, 1ULL << 63, (1ULL << 63) + 1000, 0ULL}) {
    for (const std::uint32_t burst : {1U, 7U, 16U, 32U, 64U}) {
      const std::uint64_t first = edge - 5 * burst / 2;
      Device device = add([first](auto& c) { c.first_sequence = first; });
      Consumer consumer(device.map());
      std::vector<Event> events(burst);
      for (std::uint64_t i = 0; i < 6; ++i) {
        inject(device, burst, i * burst);
        ASSERT_EQ(consumer.read_burst(events).count, burst) << edge << ", burst " << i;
        EXPECT_EQ(events.back().sequence, first + (i + 1) * burst - 1);
        for (const Event& event : events) EXPECT_TRUE(is_whole(event));
        ASSERT_EQ(consumer.read_burst(events).count, 0u) << edge << ", in bursts of " << burst;
      }
      EXPECT_EQ(remove(device.name()), 0);
    }
  }
}

TEST_F(InjectTest, RefusesBadRequestsAndPublishesNothing) {
  Device device = add();
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.size = 8; }), EINVAL);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.flags = 1; }), EINVAL);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.reserved0 = 1; }), EINVAL);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.event_count = 0; }), EINVAL);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.event_count = 1025; }), EINVAL);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.event_bytes = 0; }), EINVAL);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.event_bytes = 44; }), EINVAL);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.event_bytes = 56; }), EINVAL);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.events = 8; }), EFAULT);
  EXPECT_EQ(inject_errno(device, [](auto& r) { r.event_bytes = 40; }), EINVAL)
      << "the second event's length is not a length";
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_INJECT, nullptr), EFAULT);
  EXPECT_EQ(ioctl_errno(device.fd(), _IO(EVRING_IOC_TYPE, 0x7f)), ENOTTY);
  EXPECT_EQ(device.info().head, 0u);
  EXPECT_EQ(device.info().dropped, 0u);
}

class WideInjectTest : public DeviceTest, public ::testing::WithParamInterface<std::uint32_t> {};

/// Interrupts are off for one section at a time.
TEST_P(WideInjectTest, ALongBatchIsWrittenInSectionsThatAreBounded) {
  evring_device_config config = soft_config("wide");
  config.flags = GetParam();
  config.slot_bytes = 4096;
  config.slot_format = EVRING_SLOT_TIMESTAMP;
  ASSERT_EQ(ioctl_errno(control_.get(), EVRING_IOC_ADD, &config), 0);
  Device device = Device::open("wide", Device::Access::kReadWrite);
  const std::vector<std::uint64_t> events(64 * kWideEventBytes / 8);
  evring_inject request = inject_request(reinterpret_cast<const InjectedEvent*>(events.data()), 64);
  request.event_bytes = kWideEventBytes;
  ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_INJECT, &request), 0);
  EXPECT_EQ(request.published_count, 64u);
  EXPECT_EQ(request.first_sequence, 0u);
  EXPECT_EQ(longest_section_bytes(device), EVRING_SECTION_BYTES);
}
INSTANTIATE_TEST_SUITE_P(Kinds, WideInjectTest, ::testing::Values(0, EVRING_DEVICE_IRQ_LINE));

TEST_F(InjectTest, RefusesMoreBytesThanOneCallMayCopy) {
  Device device = add([](auto& c) { c.slot_bytes = 4096; });
  std::vector<std::uint64_t> events(1024 * 512);
  evring_inject request = inject_request(reinterpret_cast<InjectedEvent*>(events.data()), 1024);
  request.event_bytes = 4080;
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_INJECT, &request), E2BIG);
  request.event_count = 64;
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_INJECT, &request), 0);
}

TEST_F(InjectTest, AReadOnlyDescriptorChangesNothing) {
  Device device = add({}, Device::Access::kReadOnly);
  EXPECT_EQ(inject_errno(device, [](auto&) {}), EBADF);
  const evring_rate rate{sizeof(rate), 0, 1, 1, 0};
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_SET_RATE, &rate), EBADF);
  const evring_register registration{sizeof(registration), 0, 0, 0, 0};
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_REGISTER, &registration), EBADF);
  EXPECT_EQ(device.info().head, 0u);
}

TEST_F(InjectTest, StatusBlockAgreesWithTheRing) {
  Device device = add();
  const Mapping mapping = device.map();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));  // the block is due
  inject(device, 10);
  const auto status = read_status(*mapping.header(), 0);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->block.published, 10u);
  EXPECT_EQ(status->block.dropped, 0u);
  EXPECT_EQ(status->block.gone, static_cast<std::uint64_t>(EVRING_GONE_NOT));
  EXPECT_GT(status->block.last_event_ns, 0u);
}

TEST_F(InjectTest, TheStatusBlockTrailsByAMillisecondAndByNoDrop) {
  Device device = add([](auto& c) { c.mode = EVRING_MODE_GATED; });
  const DeviceCursor cursor = device.register_cursor(StartAt::kOldest);
  const Mapping mapping = device.map();
  inject(device, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  inject(device, 1);
  EXPECT_EQ(read_status(*mapping.header(), 0)->block.published, 2u);
  inject(device, 62);
  const InjectedEvent event = checked_event(0, 0);
  for (std::uint64_t dropped = 1; dropped <= 3; ++dropped) {
    ASSERT_EQ(device.inject(&event, 1, sizeof(event)).published_count, 0u);
    EXPECT_EQ(read_status(*mapping.header(), 0)->block.dropped, dropped);
  }
}

std::uint64_t interrupts_of(const std::string& device) {
  std::ifstream file("/proc/interrupts");
  std::uint64_t total = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.ends_with(" " + device)) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::uint64_t count; words >> count;) total += count;
  }
  return total;
}

TEST_F(InjectTest, ASoftwareLineDeliversTheSameThroughInterrupts) {
  Device device = add([](auto& c) { c.flags = EVRING_DEVICE_IRQ_LINE; });
  Consumer consumer(device.map());
  for (std::uint64_t i = 0; i < 50; ++i) inject(device, 1, i);
  EXPECT_EQ(interrupts_of(device.name()), 50u);
  Event event;
  for (std::uint64_t i = 0; i < 50; ++i) {
    ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
    EXPECT_TRUE(is_whole(event));
    EXPECT_EQ(event.sequence, i);
  }
  const std::string name = device.name();
  ASSERT_EQ(remove(name), 0);
  EXPECT_EQ(interrupts_of(name), 0u);
}

TEST_F(InjectTest, ASoftwareLineTakesSeveralInjectorsAtOnce) {
  Device device = add([](auto& c) { c.flags = EVRING_DEVICE_IRQ_LINE; });
  std::vector<std::thread> injectors;
  for (int i = 0; i < 4; ++i) {
    injectors.emplace_back([&] {
      for (int round = 0; round < 500; ++round) inject(device, 2);
    });
  }
  for (std::thread& injector : injectors) injector.join();
  EXPECT_EQ(device.info().head, 4000u);
}

class FormatTest : public DeviceTest, public ::testing::WithParamInterface<int> {};

TEST_P(FormatTest, CarriesThePayloadInEveryFormat) {
  evring_device_config config = soft_config("formats");
  config.slot_format = static_cast<std::uint32_t>(GetParam());
  ASSERT_EQ(ioctl_errno(control_.get(), EVRING_IOC_ADD, &config), 0);
  Device device = Device::open("formats", Device::Access::kReadWrite);
  AnyConsumer consumer(device.map());
  inject(device, 1, 42);
  AnyEvent event;
  ASSERT_EQ(consumer.try_read(event), ReadStatus::kEvent);
  const InjectedEvent expected = checked_event(7, 42);
  EXPECT_EQ(std::memcmp(event.payload.data(), expected.word.data(), 40), 0);
}
INSTANTIATE_TEST_SUITE_P(All, FormatTest, ::testing::Values(0, 1, 2));

}  // namespace
}  // namespace evring::kernel_test
