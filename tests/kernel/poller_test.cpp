// SPDX-License-Identifier: MIT
// The poller on kernel devices, on every rung. Runs in guests, with evring.ko loaded.
#include "../poller/support.hpp"

#include <evring/device.hpp>

#include <atomic>

namespace evring {
namespace {

/// A soft device that goes at the end, unless it went before.
class SoftDevice {
 public:
  explicit SoftDevice(Mode mode = Mode::kOverwrite, std::uint64_t slot_count = 64) {
    static std::atomic<unsigned> next{0};
    DeviceConfig config;
    config.name = "poller" + std::to_string(next++);
    config.mode = mode;
    config.slot_count = slot_count;
    name_ = config.name;
    control_.add(config);
    device_.emplace(Device::open(name_, Device::Access::kReadWrite));
  }
  ~SoftDevice() { remove(); }
  SoftDevice(const SoftDevice&) = delete;
  SoftDevice& operator=(const SoftDevice&) = delete;

  const std::string& name() const noexcept { return name_; }
  void remove() {
    if (device_) control_.remove(name_);
    device_.reset();
  }
  std::uint32_t inject(std::uint64_t value) {
    struct {
      std::uint32_t type = 0;
      std::uint32_t length_bytes = 8;
      std::uint64_t value;
    } event;
    event.value = value;
    return device_->inject(&event, 1, sizeof(event)).published_count;
  }

 private:
  Control control_;
  std::string name_;
  std::optional<Device> device_;
};

class KernelPollerTest : public ParkingTest {};

INSTANTIATE_TEST_SUITE_P(Rungs, KernelPollerTest,
                         testing::Values(Rung::kUringCommand, Rung::kUringPoll, Rung::kEpoll),
                         [](const auto& each) {
                           std::string name = to_string(each.param);
                           std::erase(name, ' ');
                           return name;
                         });

TEST_P(KernelPollerTest, TakesTheRungThatIsAskedFor) {
  const SoftDevice soft;
  Poller poller(parking());
  poller.add(PollSource::open(soft.name()));
  EXPECT_EQ(poller.rung(0).rung, GetParam()) << poller.rung(0).reason;
}

TEST_P(KernelPollerTest, WakesOncePerDoorbellAndTakesOneCompletion) {
  constexpr std::uint64_t kEventCount = 50;
  SoftDevice soft;
  RunningPoller poller(parking());
  poller->add(PollSource::open(soft.name()));
  poller.start();
  for (std::uint64_t i = 0; i < kEventCount; ++i) {
    ASSERT_TRUE(poller.parks_again(i));
    ASSERT_EQ(soft.inject(i), 1u);
    ASSERT_TRUE(eventually([&] { return poller->counters(0).received == i + 1; }));
  }
  ASSERT_TRUE(poller.parks_again(kEventCount));
  poller.stop();
  EXPECT_EQ(poller->counters(0).doorbells, kEventCount);
  EXPECT_EQ(poller->counters().spurious_wakes, 0u);
  EXPECT_EQ(poller.values(0).size(), kEventCount);
}

TEST_P(KernelPollerTest, AStopWakesAParkedPoller) {
  const SoftDevice soft;
  RunningPoller poller(parking());
  poller->add(PollSource::open(soft.name()));
  poller.start();
  ASSERT_TRUE(poller.parks_again(0));
  const auto begin = std::chrono::steady_clock::now();
  poller.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST_P(KernelPollerTest, ARemovalWakesItAndEndsTheRing) {
  GoneReason reason = GoneReason::kNot;
  PollerOptions options = parking();
  options.on_gone = [&](unsigned, GoneReason why) { reason = why; };
  SoftDevice soft;
  RunningPoller poller(std::move(options));
  poller->add(PollSource::open(soft.name()));
  poller.start();
  ASSERT_TRUE(poller.parks_again(0));
  soft.inject(7);
  soft.remove();
  EXPECT_EQ(poller.join(), RunEnd::kAllGone);
  EXPECT_EQ(reason, GoneReason::kRemoved);
  EXPECT_EQ(poller.values(0), std::vector<std::uint64_t>{7}) << "what came before is still due";
}

TEST_P(KernelPollerTest, MaxIdleBoundsAParkAndTheRingIsArmedAgain) {
  PollerOptions options = parking();
  options.arm.max_idle = std::chrono::milliseconds(20);
  SoftDevice soft;
  RunningPoller poller(std::move(options));
  poller->add(PollSource::open(soft.name()));
  poller.start();
  ASSERT_TRUE(eventually([&] { return poller->counters().idle_wakes >= 3; }));
  soft.inject(1);
  EXPECT_TRUE(eventually([&] { return poller->counters(0).received == 1; }));
  poller.stop();
  EXPECT_EQ(poller->counters().spurious_wakes, 0u);
}

TEST_P(KernelPollerTest, AGatedDeviceDropsWhatDoesNotFitAndNothingElse) {
  SoftDevice soft(Mode::kGated, 8);
  Poller poller(parking());
  poller.add(PollSource::open(soft.name()));
  for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(soft.inject(i), 1u);
  EXPECT_EQ(soft.inject(8), 0u);
  std::uint64_t received = 0;
  poller.drain([&](unsigned, std::span<const Event> events) { received += events.size(); });
  EXPECT_EQ(received, 8u);
  EXPECT_EQ(soft.inject(8), 1u);
}

TEST(KernelSourceTest, NamesAnUnknownDevice) {
  try {
    PollSource::open("no-such-device");
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("no-such-device"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace evring
