// SPDX-License-Identifier: MIT
// Who wakes those that are parked: a thread, unless the owner of the device chose the
// interrupt that published. What a wake-up costs is up to whoever waits.
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "device_fixture.hpp"
#include "uring_client.hpp"

namespace evring::kernel_test {
namespace {

using WakeTest = DeviceTest;

/// /proc/PID of the thread that wakes.
std::filesystem::path thread_folder() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string name;
    if (std::getline(std::ifstream(entry.path() / "comm"), name) && name == "evring") return entry;
  }
  throw std::runtime_error("no thread of evring.ko");
}

/// How often it has slept since it began.
std::uint64_t sleeps_of_the_thread() {
  constexpr std::string_view kLabel = "voluntary_ctxt_switches:";
  std::ifstream file(thread_folder() / "status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kLabel)) return std::stoull(line.substr(kLabel.size()));
  }
  throw std::runtime_error("it has no count of its sleeps");
}

/// As it is where the other CPUs are isolated.
void keep_the_thread_on_cpu_0() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(0, &set);
  const int pid = std::stoi(thread_folder().filename());
  ASSERT_EQ(::sched_setaffinity(pid, sizeof(set), &set), 0);
}

bool is_preempt_rt() { return std::ifstream("/sys/kernel/realtime").good(); }

TEST_F(WakeTest, AThreadWakesUnlessTheOwnerChoseTheInterrupt) {
  constexpr std::uint64_t kWakes = 50;
  for (const std::uint32_t flags : {0U, EVRING_DEVICE_WAKE_IN_IRQ}) {
    Device device = add([&](auto& c) { c.flags = flags; });
    EXPECT_EQ(device.info().device_flags, is_preempt_rt() ? 0 : flags);
    const std::uint64_t before = sleeps_of_the_thread();
    for (std::uint64_t i = 0; i < kWakes; ++i) {
      arm(device, {i, 0, 1, 10000});
      inject(device, 1);
      ASSERT_TRUE(has_rung(device, 10000));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // it sleeps again
    }
    const std::uint64_t sleeps = sleeps_of_the_thread() - before;
    if (flags == 0 || is_preempt_rt()) {
      EXPECT_GE(sleeps, kWakes / 2);
    } else {
      EXPECT_EQ(sleeps, 0u);
    }
    EXPECT_EQ(remove(device.name()), 0);
  }
}

/// The longest time between two of the last `tick_count` ticks.
std::uint64_t longest_gap_ns(const Device& device, std::uint64_t tick_count) {
  Consumer consumer(device.map(), StartAt::kSequence, device.info().head - tick_count);
  std::uint64_t longest = 0;
  std::uint64_t last = 0;
  Event event;
  while (consumer.try_read(event) == ReadStatus::kEvent) {
    if (last != 0) longest = std::max(longest, event.timestamp_ns - last);
    last = event.timestamp_ns;
  }
  return longest;
}

/// Watches `device` so often that one wake-up of it is a long walk.
std::vector<FileDescriptor> watch_often(const Device& device) {
  const std::uint32_t epoll_count = rounds(400);
  constexpr int kWatches = 20;  // of each, through numbers that are one descriptor
  std::vector<FileDescriptor> same;
  for (int i = 0; i < kWatches; ++i) same.emplace_back(::dup(device.fd()));
  std::vector<FileDescriptor> epolls;
  for (std::uint32_t i = 0; i < epoll_count; ++i) {
    epolls.emplace_back(::epoll_create1(EPOLL_CLOEXEC));
    for (const FileDescriptor& fd : same) {
      epoll_event wanted{EPOLLIN | EPOLLET, {}};
      EXPECT_EQ(::epoll_ctl(epolls.back().get(), EPOLL_CTL_ADD, fd.get(), &wanted), 0);
    }
  }
  return epolls;
}

bool is_woken(const FileDescriptor& epoll) {
  epoll_event got{};
  return ::epoll_wait(epoll.get(), &got, 1, 10000) == 1;
}

// The output says how long the ticks of CPU 1 wait for it: not at all for the thread.
TEST_F(WakeTest, ADescriptorInManyEpollsWakesThemAll) {
  const std::size_t round_count = rounds(21);
  keep_the_thread_on_cpu_0();
  for (const std::uint32_t flags : {0U, EVRING_DEVICE_WAKE_IN_IRQ}) {
    const Device device = add([&](evring_device_config& c) {
      const std::string name = c.name;
      c = timer_config(name, 1000, 1);
      c.flags = flags;
      c.slot_count = 4096;
      c.home_cpu = 1;
    });
    const auto epolls = watch_often(device);
    std::vector<std::uint64_t> gaps_ns;
    while (gaps_ns.size() < round_count) {
      const std::uint64_t head = device.info().head;
      arm(device, {head + 5, 0, 1, 10000});
      ASSERT_TRUE(eventually([&] { return device.info().head > head + 20; }));
      gaps_ns.push_back(longest_gap_ns(device, device.info().head - head));
    }
    std::sort(gaps_ns.begin(), gaps_ns.end());
    std::printf("%s: one wake-up of %zu watches keeps ticks %llu ns apart, in the median\n",
                flags == 0 ? "thread" : "irq", 20 * epolls.size(),
                static_cast<unsigned long long>(gaps_ns[round_count / 2]));
    arm(device, {device.info().head + 1, 0, 1, 10000});
    for (const FileDescriptor& epoll : epolls) ASSERT_TRUE(is_woken(epoll));
    EXPECT_EQ(remove(device.name()), 0);
  }
}

// Seen where freed memory is poisoned: guest.*.kernel.
TEST_F(WakeTest, ADescriptorThatIsClosedDuringAWakeUpIsStillThereForIt) {
  keep_the_thread_on_cpu_0();
  const OnCpu on_cpu(1);
  Device device = add();
  const Device watched = Device::open(device.name());
  const auto epolls = watch_often(watched);
  for (std::uint64_t i = 0; i < 20; ++i) {
    arm(watched, {i, 0, 1, 10000});
    auto closed = std::make_unique<Device>(Device::open(device.name()));
    arm(*closed, {i, 0, 1, 10000});
    inject(device, 1);
    // The thread has taken both, and walks along the watches of the first.
    ASSERT_TRUE(is_woken(epolls.back()));
    closed.reset();
    ASSERT_TRUE(is_woken(epolls.front()));
  }
}

// A poll of io_uring, unlike others, asks the device nothing when it is told what there is.
TEST_F(WakeTest, AWakeUpThatIsLateEndsNoPollOfTheNextArm) {
  keep_the_thread_on_cpu_0();
  const OnCpu on_cpu(1);
  Device device = add();
  const Device watched = Device::open(device.name());
  const auto epolls = watch_often(watched);
  UringClient uring;
  for (std::uint64_t i = 0; i < 40; i += 2) {
    arm(watched, {i, 0, 1, 10000});
    arm(device, {i, 0, 1, 10000});
    inject(device, 1);
    // The thread has taken both, and walks along the watches of the first.
    ASSERT_TRUE(is_woken(epolls.back()));
    arm(device, {i + 1, 0, 1, 10000});
    uring.poll(device.fd(), i);
    ASSERT_TRUE(is_woken(epolls.front()));
    EXPECT_FALSE(uring.wait(std::chrono::milliseconds(20))) << "there is no event yet";
    inject(device, 1);
    ASSERT_TRUE(uring.wait());
  }
}

}  // namespace
}  // namespace evring::kernel_test
