// SPDX-License-Identifier: MIT
// What a reader on another CPU sees of a slot and of the status block while they are written:
// raw looks at the mapping, as the consumer takes them. Each test goes on until it has looked
// into many writes, and fails when a look that the stamps let pass shows two events.
#include <algorithm>
#include <atomic>
#include <vector>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

constexpr int kWrites = 3;  // that are looked into: thousands a second, a few on a busy host
constexpr auto kLimit = std::chrono::seconds(30);

std::uint64_t load(const void* word, std::memory_order order = std::memory_order_relaxed) {
  return std::atomic_ref(*static_cast<std::uint64_t*>(const_cast<void*>(word))).load(order);
}

class TornTest : public DeviceTest {
 protected:
  /// A ring of wide slots, so that most looks fall into a write.
  Device add_wide(const evring_device_config& like, std::uint64_t slot_count) {
    return add([&](evring_device_config& c) {
      const std::string name = c.name;
      c = like;
      std::copy(name.begin(), name.end() + 1, c.name);
      c.slot_count = slot_count;
      c.slot_bytes = EVRING_SLOT_BYTES_MAX;
      c.slot_format = EVRING_SLOT_TIMESTAMP;
    });
  }
  /// Looks at the first slot: stamp, a word that the event's sequence tells, stamp again.
  static void look(const Mapping& mapping, std::uint32_t word) {
    const OnCpu on_cpu(0);
    const auto* slot = reinterpret_cast<const std::uint64_t*>(mapping.slots());
    std::uint64_t last = load(slot) & ~1ULL;
    int busy = 0;
    std::uint64_t torn = 0;
    EXPECT_TRUE(eventually(
        [&] {
          for (int i = 0; i < 50000; ++i) {
            const std::uint64_t stamp = load(slot, std::memory_order_acquire);
            const std::uint64_t seen = load(slot + 2 + word);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (stamp % 2 == 0) {
              busy += stamp != last;
              last = stamp;
              continue;
            }
            if (load(slot) != stamp) continue;
            torn += seen != evring_pattern_word(stamp / 2, word);
          }
          return busy >= kWrites;
        },
        kLimit))
        << busy << " looks into a write";
    EXPECT_EQ(torn, 0u) << "the payload of another event under the stamp of one";
  }
};

TEST_F(TornTest, ASlotThatIsInjectedIsBusyUntilItIsWhole) {
  Device device = add_wide(soft_config(""), 2);
  std::vector<std::uint64_t> event(kWideEventBytes / 8);
  event[0] = std::uint64_t{kWideEventBytes - 8} << 32;  // its length
  std::uint64_t sequence = 0;
  const Repeater publisher([&] {
    for (std::uint32_t i = 0; i < 5; ++i) event[1 + i] = evring_pattern_word(sequence, i);
    ++sequence;
    device.inject(event.data(), 1, kWideEventBytes);
  });
  look(device.map(), 0);
  look(device.map(), 4);
}

TEST_F(TornTest, ASlotThatAnInterruptReservesIsBusyUntilItIsWhole) {
  evring_device_config timer = timer_config("", 20000, 4);
  timer.home_cpu = 1;
  const Device device = add_wide(timer, 8);
  const Repeater busy([] {});  // or an emulated CPU 1 would run for a tick's length alone
  look(device.map(), 0);
  look(device.map(), 4);
}

TEST_F(TornTest, TheStatusBlockIsOddUntilItIsWhole) {
  Device device = add([](auto& c) { c.mode = EVRING_MODE_GATED; });
  inject(device, 64);
  const DeviceCursor cursor = device.register_cursor(StartAt::kOldest);
  const InjectedEvent events[2] = {checked_event(1, 1), checked_event(1, 2)};
  // Room for one of two: one is published and one is dropped, in one refresh.
  auto step = [&, next = cursor.sequence()]() mutable {
    std::atomic_ref(cursor.page()->cursor).store(++next, std::memory_order_release);
    device.inject(events, 2, sizeof(InjectedEvent));
  };
  step();  // before that the block may trail
  const Repeater publisher(std::move(step));
  const Mapping mapping = device.map();
  const evring_header& header = *mapping.header();
  const OnCpu on_cpu(0);
  std::uint64_t last = 0;
  int odd = 0;
  std::uint64_t torn = 0;
  EXPECT_TRUE(eventually(
      [&] {
        for (int i = 0; i < 50000; ++i) {
          const std::uint64_t number = load(&header.status_sequence, std::memory_order_acquire);
          const std::uint64_t published = load(&header.status.published);
          const std::uint64_t dropped = load(&header.status.dropped);
          std::atomic_thread_fence(std::memory_order_acquire);
          if (number % 2 == 1) {
            odd += number != last;
            last = number;
            continue;
          }
          if (load(&header.status_sequence) != number) continue;
          torn += published - dropped != 64;
        }
        return odd >= kWrites;
      },
      kLimit))
      << odd << " looks into a refresh";
  EXPECT_EQ(torn, 0u) << "counters of two refreshes under one number";
}

}  // namespace
}  // namespace evring::kernel_test
