// SPDX-License-Identifier: MIT
// Ten processes hammer one soft device for two seconds; every event is accounted for.
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

constexpr int kInjectors = 10;
constexpr auto kDuration = std::chrono::seconds(2);

/// Shared with the children.
struct Account {
  std::atomic<bool> stop;
  std::atomic<std::uint64_t> offered, published, wait_ns;
};

void inject_until_stopped(const std::string& name, int injector, Account& account) {
  Device device = Device::open(name, Device::Access::kReadWrite);
  std::uint64_t number = 0, published = 0, wait_ns = 0;
  while (!account.stop.load(std::memory_order_relaxed)) {
    const InjectedEvent event = checked_event(static_cast<std::uint32_t>(injector), number++);
    const Device::Injected injected = device.inject(&event, 1, sizeof(event));
    published += injected.published_count;
    wait_ns += injected.lock_wait_ns;
  }
  account.offered += number;
  account.published += published;
  account.wait_ns += wait_ns;
}

/// Each event whole, and each injector's numbers rising.
struct Verifier {
  std::array<std::uint64_t, kInjectors> next{};
  std::uint64_t corrupt = 0, out_of_order = 0;
  void look(const Event& event) {
    std::uint64_t number;
    std::memcpy(&number, event.payload.data(), sizeof(number));
    if (!is_whole(event) || event.type >= kInjectors) {
      ++corrupt;
    } else {
      out_of_order += number < next[event.type];
      next[event.type] = number + 1;
    }
  }
};

Event copy_of(const SlotView<DefaultSlot>& view) {
  Event event;
  event.sequence = view.sequence();
  event.type = view.type();
  event.length_bytes = view.length_bytes();
  for (std::size_t i = 0; i < event.payload.size() / 8; ++i) {
    const std::uint64_t word = view.word(i);
    std::memcpy(event.payload.data() + 8 * i, &word, 8);
  }
  return event;
}

class StressTest : public DeviceTest, public ::testing::WithParamInterface<int> {};

TEST_P(StressTest, TenInjectorsBalance) {
  const bool gated = GetParam() == EVRING_MODE_GATED;
  evring_device_config config = soft_config("stress");
  config.slot_count = 4096;
  config.mode = static_cast<std::uint32_t>(GetParam());
  ASSERT_EQ(ioctl_errno(control_.get(), EVRING_IOC_ADD, &config), 0);
  Device device = Device::open("stress", Device::Access::kReadWrite);
  GatedConsumer consumer =
      gated ? GatedConsumer(device.map(), device.register_cursor(StartAt::kOldest))
            : GatedConsumer(Consumer(device.map()));
  auto* account = static_cast<Account*>(
      ::mmap(nullptr, sizeof(Account), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<pid_t> children;
  for (int i = 0; i < kInjectors; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) {
      inject_until_stopped("stress", i, *account);
      ::_exit(0);
    }
  }

  Verifier verifier;
  Event event;
  const auto deadline = std::chrono::steady_clock::now() + kDuration;
  std::vector<Event> burst;
  // Single events that are copied and bursts seen in place, in turns.
  const auto read_some = [&] {
    const ReadStatus status = consumer.try_read(event);
    if (status != ReadStatus::kEvent) return status;
    verifier.look(event);
    burst.clear();
    const Burst got =
        consumer.visit_burst(32, [&](const auto& view) { burst.push_back(copy_of(view)); });
    for (std::size_t i = 0; i < got.count; ++i) verifier.look(burst[i]);
    return got.status == ReadStatus::kOverrun ? got.status : status;
  };
  const auto drain = [&] {
    for (ReadStatus status; (status = read_some()) != ReadStatus::kEmpty;) {
      if (status == ReadStatus::kOverrun) consumer.resync();
      if (std::chrono::steady_clock::now() > deadline) account->stop = true;
    }
  };
  while (std::chrono::steady_clock::now() < deadline) {
    drain();
    // Sleeps as a poller does, so that doorbells are part of the load.
    const evring_arm request{consumer.cursor(), 100, 64, 100};
    ASSERT_EQ(ioctl_errno(device.fd(), EVRING_IOC_ARM, &request), 0);
    pollfd poller{device.fd(), POLLIN, 0};
    ::poll(&poller, 1, 1000);
  }
  account->stop = true;
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  drain();

  const evring_device_info info = device.info();
  EXPECT_EQ(info.head, account->published);
  EXPECT_EQ(info.head + info.dropped, account->offered);
  EXPECT_EQ(consumer.received() + consumer.lost(), info.head - consumer.start());
  EXPECT_EQ(verifier.corrupt, 0u);
  EXPECT_EQ(verifier.out_of_order, 0u);
  EXPECT_GT(info.head, 10000u);
  EXPECT_EQ(info.lock_wait_ns, account->wait_ns);
  EXPECT_EQ(gated ? consumer.lost() : info.dropped, 0u);
  std::printf(
      "offered %llu published %llu dropped %llu received %llu lost %llu doorbells %llu "
      "lock waits %llu (%llu ns)\n",
      static_cast<unsigned long long>(account->offered.load()), info.head, info.dropped,
      static_cast<unsigned long long>(consumer.received()),
      static_cast<unsigned long long>(consumer.lost()), info.doorbells_rung, info.lock_contended,
      info.lock_wait_ns);
  ::munmap(account, sizeof(Account));
}
INSTANTIATE_TEST_SUITE_P(Modes, StressTest,
                         ::testing::Values(EVRING_MODE_OVERWRITE, EVRING_MODE_GATED));

}  // namespace
}  // namespace evring::kernel_test
