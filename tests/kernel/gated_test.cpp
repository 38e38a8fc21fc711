// SPDX-License-Identifier: MIT
// Gated rings: the producer stays behind registered cursors, whatever their pages say.
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

class GatedTest : public DeviceTest {
 protected:
  Device add_gated() {
    return add([](auto& c) { c.mode = EVRING_MODE_GATED; });
  }
  /// Offers `event_count` events; returns how many were published.
  static std::uint32_t offer(Device& device, std::uint32_t event_count) {
    std::vector<InjectedEvent> events(event_count, checked_event(1, 2));
    return device.inject(events.data(), event_count, sizeof(InjectedEvent)).published_count;
  }
};

TEST_F(GatedTest, DropsWhatDoesNotFitAndCountsIt) {
  Device device = add_gated();
  Device registered = Device::open(device.name(), Device::Access::kReadWrite);
  GatedConsumer consumer(registered.map(), registered.register_cursor(StartAt::kOldest));
  EXPECT_EQ(offer(device, 50), 50u);
  EXPECT_EQ(offer(device, 50), 14u);
  EXPECT_EQ(offer(device, 1), 0u);
  EXPECT_EQ(device.info().dropped, 37u);
  EXPECT_EQ(device.info().head + device.info().dropped, 101u);

  std::vector<Event> events(10);
  EXPECT_EQ(consumer.read_burst(events).count, 10u);
  EXPECT_EQ(offer(device, 50), 10u);
  EXPECT_EQ(consumer.lost(), 0u);
}

TEST_F(GatedTest, ARefusedBatchIsNoBatchThatRangNobody) {
  Device device = add_gated();
  Device registered = Device::open(device.name(), Device::Access::kReadWrite);
  const DeviceCursor cursor = registered.register_cursor(StartAt::kOldest);
  const evring_arm request{40, 10000000, 1000, 10000};
  ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_ARM, &request), 0);
  EXPECT_EQ(offer(device, 64), 64u);
  const std::uint64_t suppressed = device.info().doorbells_suppressed;
  EXPECT_EQ(suppressed, 1u) << "it has begun, and waits for more";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(offer(device, 5), 0u);
  EXPECT_EQ(device.info().dropped, 50u);
  EXPECT_EQ(device.info().doorbells_suppressed, suppressed);
  EXPECT_EQ(device.info().doorbells_rung, 0u);
}

TEST_F(GatedTest, RunsFreeWithNobodyRegistered) {
  Device device = add_gated();
  EXPECT_EQ(offer(device, 1000), 1000u);
  EXPECT_EQ(device.info().dropped, 0u);
}

TEST_F(GatedTest, ClosingTheDescriptorRemovesTheCursor) {
  Device device = add_gated();
  {
    Device registered = Device::open(device.name(), Device::Access::kReadWrite);
    const DeviceCursor cursor = registered.register_cursor(StartAt::kNewest);
    EXPECT_EQ(device.info().registered_count, 1u);
    EXPECT_EQ(offer(device, 100), 64u);
  }
  EXPECT_EQ(device.info().registered_count, 0u);
  EXPECT_EQ(offer(device, 100), 100u);
}

TEST_F(GatedTest, StartsWhereItWasAskedTo) {
  Device device = add_gated();
  offer(device, 100);
  const auto start = [&](StartAt at, std::uint64_t sequence) {
    return Device::open(device.name(), Device::Access::kReadWrite)
        .register_cursor(at, sequence)
        .sequence();
  };
  EXPECT_EQ(start(StartAt::kOldest, 0), 36u);
  EXPECT_EQ(start(StartAt::kNewest, 0), 100u);
  EXPECT_EQ(start(StartAt::kSequence, 50), 50u);
  EXPECT_EQ(start(StartAt::kSequence, 5), 36u) << "gone already: the oldest that is left";
  EXPECT_THROW(start(StartAt::kSequence, 101), std::system_error);
}

TEST_F(GatedTest, AHostilePageIsACursorThatStandsStill) {
  Device device = add_gated();
  Device registered = Device::open(device.name(), Device::Access::kReadWrite);
  const DeviceCursor cursor = registered.register_cursor(StartAt::kOldest);
  offer(device, 64);
  for (const std::uint64_t lie : {65ULL, 1ULL << 40, 1ULL << 63, ~0ULL}) {
    cursor.page()->cursor = lie;
    EXPECT_EQ(offer(device, 1), 0u) << lie;
  }
  cursor.page()->cursor = 10;
  EXPECT_EQ(offer(device, 64), 10u);
  cursor.page()->cursor = 5;
  EXPECT_EQ(offer(device, 64), 0u) << "cursors never go back";
}

TEST_F(GatedTest, OneCursorForEachDescriptorAndABoundOnThem) {
  Device device = add_gated();
  const evring_register request{sizeof(request), 0, EVRING_START_NEWEST, 0, 0};
  std::vector<Device> registered;
  for (int i = 0; i < EVRING_CONSUMER_COUNT_MAX; ++i) {
    registered.push_back(Device::open(device.name(), Device::Access::kReadWrite));
    ASSERT_EQ(ioctl_errno(registered.back().fd(), EVRING_IOC_REGISTER, &request), 0) << i;
  }
  EXPECT_EQ(ioctl_errno(registered[0].fd(), EVRING_IOC_REGISTER, &request), EBUSY);
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_REGISTER, &request), ENOSPC);
  EXPECT_EQ(ioctl_errno(registered[0].fd(), EVRING_IOC_UNREGISTER), 0);
  EXPECT_EQ(ioctl_errno(registered[0].fd(), EVRING_IOC_UNREGISTER), ENOENT);
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_REGISTER, &request), 0);
}

/// A registered consumer that takes events as fast as it can, on a thread of its own.
class MovingConsumer {
 public:
  explicit MovingConsumer(const std::string& name)
      : device_(Device::open(name, Device::Access::kReadWrite)),
        cursor_(device_.register_cursor(StartAt::kOldest)),
        thread_([this, mapping = device_.map()] {
          auto* head = const_cast<__u64*>(&mapping.header()->head);
          while (!stop_) {
            std::atomic_ref(cursor_.page()->cursor)
                .store(std::atomic_ref(*head).load(std::memory_order_acquire),
                       std::memory_order_release);
          }
        }) {}
  ~MovingConsumer() {
    stop_ = true;
    thread_.join();
  }

 private:
  Device device_;
  DeviceCursor cursor_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(GatedTest, DropsFromTheEndOfABatchWhileItsConsumerMoves) {
  Device device = add_gated();
  const Mapping mapping = device.map();
  const MovingConsumer consumer(device.name());
  std::vector<InjectedEvent> events;
  for (std::uint32_t i = 0; i < 1024; ++i) events.push_back(checked_event(1, i));
  const std::uint64_t batch_count = rounds(2000);
  for (std::uint64_t round = 0; round < batch_count; ++round) {
    const auto injected = device.inject(events.data(), 1024, sizeof(InjectedEvent));
    if (injected.published_count == 0) continue;
    Consumer last(mapping, StartAt::kSequence, device.info().head - 1);
    Event event;
    ASSERT_EQ(last.try_read(event), ReadStatus::kEvent);
    std::uint64_t number;
    std::memcpy(&number, event.payload.data(), sizeof(number));
    ASSERT_EQ(number + 1, injected.published_count) << "round " << round;
  }
  EXPECT_EQ(device.info().head + device.info().dropped, batch_count * 1024);
  EXPECT_GT(device.info().dropped, 0u) << "a batch that fits is no test";
}

TEST_F(GatedTest, WhoRegistersWhileEventsArePublishedLosesNone) {
  Device device = add_gated();
  const Repeater producer([&] { offer(device, 8); });
  const OnCpu on_cpu(0);
  for (std::uint32_t round = 0; round < rounds(200); ++round) {
    const std::uint64_t head = device.info().head;
    while (device.info().head < head + 64) std::this_thread::yield();  // it runs free again
    Device registered = Device::open(device.name(), Device::Access::kReadWrite);
    DeviceCursor cursor = registered.register_cursor(StartAt::kOldest);
    std::uint64_t expected = cursor.sequence();
    GatedConsumer consumer(registered.map(), std::move(cursor));
    Event event;
    for (int i = 0; i < 100; ++i) {
      ReadStatus status;
      while ((status = consumer.try_read(event)) == ReadStatus::kEmpty) std::this_thread::yield();
      ASSERT_EQ(status, ReadStatus::kEvent) << "lapped, round " << round << " event " << i;
      ASSERT_EQ(event.sequence, expected++) << "round " << round;
      ASSERT_TRUE(is_whole(event));
    }
  }
}

TEST_F(GatedTest, OverwriteRingsRegisterNobody) {
  Device device = add();
  const evring_register request{sizeof(request), 0, EVRING_START_NEWEST, 0, 0};
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_REGISTER, &request), EOPNOTSUPP);
}

}  // namespace
}  // namespace evring::kernel_test
