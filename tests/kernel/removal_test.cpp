// SPDX-License-Identifier: MIT
// A device goes while it is mapped, polled, parked on, read and injected into.
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "device_fixture.hpp"
#include "uring_client.hpp"

namespace evring::kernel_test {
namespace {

class RemovalTest : public DeviceTest {
 protected:
  /// What each kind of reader saw at the end; counted when it was the right thing.
  void read_to_the_end(const std::string& name) {
    const Device device = Device::open(name);
    std::string text(4096, '\0');
    ++ready_;
    while (::read(device.fd(), text.data(), text.size()) > 0) {
    }
    ended_ += errno == ENODEV;
  }
  void poll_to_the_end(const std::string& name) {
    const Device device = Device::open(name);
    pollfd poller{device.fd(), 0, 0};
    ++ready_;
    ended_ += ::poll(&poller, 1, 30000) == 1 && poller.revents == (POLLHUP | POLLERR);
  }
  void spin_to_the_end(const std::string& name) {
    Consumer consumer(Device::open(name).map());
    const evring_header& header = *consumer.mapping().header();
    Event event;
    ++ready_;
    for (bool last = false; !last;) {
      last = gone(header) == EVRING_GONE_REMOVED;
      for (ReadStatus status; (status = consumer.try_read(event)) != ReadStatus::kEmpty;) {
        if (status == ReadStatus::kOverrun) consumer.resync();
      }
    }
    ended_ += consumer.cursor() == consumer.head() &&
              consumer.received() + consumer.lost() == consumer.head() - consumer.start();
  }
  void park_to_the_end(const std::string& name) {
    const Device device = Device::open(name);
    UringClient uring;
    ++ready_;
    for (std::uint64_t cursor = 0;;) {
      uring.arm(device.fd(), {cursor, 200, 16, 1000}, 1);
      const auto completion = uring.wait(std::chrono::seconds(30));
      if (!completion) return;
      if (completion->result == -ENODEV) break;
      if (completion->result > 0) cursor += static_cast<std::uint64_t>(completion->result);
    }
    ++ended_;
  }

  std::atomic<int> ready_{0};
  std::atomic<int> ended_{0};
};

TEST_F(RemovalTest, EndsEightReadersWhoMapPollParkAndRead) {
  for (std::uint32_t round = 0; round < rounds(5); ++round) {
    Device device = add([&](evring_device_config& c) { c = timer_config("removed", 2000, 2); });
    ready_ = ended_ = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
      readers.emplace_back([&] { read_to_the_end("removed"); });
      readers.emplace_back([&] { poll_to_the_end("removed"); });
      readers.emplace_back([&] { spin_to_the_end("removed"); });
      readers.emplace_back([&] { park_to_the_end("removed"); });
    }
    ASSERT_TRUE(eventually([&] { return ready_ == 8; }));
    ASSERT_TRUE(eventually([&] { return device.info().head > 50; }));
    EXPECT_EQ(remove("removed"), 0);
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(ended_, 8) << "round " << round;
  }
}

TEST_F(RemovalTest, EveryCallOnARemovedDeviceSaysSo) {
  Device device = add();
  const Mapping mapping = device.map();
  inject(device, 3);
  ASSERT_EQ(remove(device.name()), 0);
  EXPECT_EQ(gone(*mapping.header()), static_cast<std::uint64_t>(EVRING_GONE_REMOVED));
  EXPECT_EQ(mapping.header()->head, 3u) << "the memory stays";
  const evring_arm arm{};
  const InjectedEvent event;
  const evring_inject request = inject_request(&event, 1);
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_ARM, &arm), ENODEV);
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_INJECT, &request), ENODEV);
  EXPECT_EQ(::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, device.fd(), 0), MAP_FAILED);
  EXPECT_EQ(errno, ENODEV);
  pollfd poller{device.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&poller, 1, 0), 1);
  EXPECT_TRUE(poller.revents & POLLHUP);
  EXPECT_THROW(Device::open(device.name()), std::system_error);
}

TEST_F(RemovalTest, InjectorsAreToldAndNothingIsLostUncounted) {
  Device device = add();
  const Mapping mapping = device.map();
  std::atomic<std::uint64_t> published{0};
  std::vector<std::thread> injectors;
  for (int i = 0; i < 4; ++i) {
    injectors.emplace_back([&] {
      const InjectedEvent event = checked_event(1, 1);
      evring_inject request = inject_request(&event, 1);
      while (ioctl_errno(device.fd(), EVRING_IOC_INJECT, &request) == 0) ++published;
    });
  }
  ASSERT_TRUE(eventually([&] { return published > 1000; }));
  EXPECT_EQ(remove(device.name()), 0);
  for (std::thread& injector : injectors) injector.join();
  EXPECT_EQ(mapping.header()->head, published);
}

TEST_F(RemovalTest, DevicesComeAndGoUnderLookups) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        Control().list();
        try {
          Device device = Device::open("churn");
          device.map();
        } catch (const std::system_error&) {
        }
      }
    });
  }
  for (std::uint32_t round = 0; round < rounds(100); ++round) {
    const evring_device_config config = soft_config("churn");
    ASSERT_EQ(ioctl_errno(control_.get(), EVRING_IOC_ADD, &config), 0);
    ASSERT_EQ(remove("churn"), 0);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace evring::kernel_test
