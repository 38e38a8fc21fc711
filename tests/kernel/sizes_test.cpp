// SPDX-License-Identifier: MIT
// Callers that were built against the first version of abi.h, and against a later one.
#include <sys/ioctl.h>

#include <cstddef>
#include <cstring>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

class SizesTest : public DeviceTest {
 protected:
  /// The number of an ioctl whose struct had `size` bytes.
  static unsigned long sized(unsigned long request, unsigned long size) {
    return (request & ~(0x3fffUL << 16)) | size << 16;
  }
};

struct GuardedInfo {
  evring_device_info info;
  std::uint64_t after;
};

TEST_F(SizesTest, AnswersACallerOfTheFirstVersion) {
  Device device = add([](auto& c) { c.flags = EVRING_DEVICE_ARM_IPI; });
  for (const auto& [fd, request] :
       {std::pair{device.fd(), EVRING_IOC_INFO}, std::pair{control_.get(), EVRING_IOC_LIST}}) {
    GuardedInfo guarded{};
    std::memset(reinterpret_cast<char*>(&guarded) + EVRING_DEVICE_INFO_SIZE_V0, 0x5a,
                sizeof(guarded) - EVRING_DEVICE_INFO_SIZE_V0);
    guarded.info.size = EVRING_DEVICE_INFO_SIZE_V0;
    guarded.info.device_id = device.info().device_id;
    ASSERT_EQ(ioctl_errno(fd, sized(request, EVRING_DEVICE_INFO_SIZE_V0), &guarded), 0);
    EXPECT_EQ(guarded.info.size, static_cast<std::uint32_t>(EVRING_DEVICE_INFO_SIZE_V0));
    EXPECT_STREQ(guarded.info.name, device.name().c_str());
    EXPECT_EQ(guarded.info.open_count, 1u);
    EXPECT_EQ(guarded.info.device_flags, 0x5a5a5a5aU) << "no byte past the caller's struct";
    EXPECT_EQ(guarded.after, 0x5a5a5a5a5a5a5a5aULL);
  }
  EXPECT_EQ(device.info().device_flags, EVRING_DEVICE_ARM_IPI);
}

TEST_F(SizesTest, AnswersACallerOfALaterVersionThatAsksForNothingNew) {
  Device device = add();
  GuardedInfo later{};
  later.info.size = sizeof(later);
  EXPECT_EQ(ioctl_errno(device.fd(), sized(EVRING_IOC_INFO, sizeof(later)), &later), 0);
  EXPECT_EQ(later.info.slot_count, 64u);
  later.after = 1;
  EXPECT_EQ(ioctl_errno(device.fd(), sized(EVRING_IOC_INFO, sizeof(later)), &later), E2BIG);
}

TEST_F(SizesTest, RefusesLessThanTheFirstVersion) {
  Device device = add();
  evring_device_info info{};
  info.size = EVRING_DEVICE_INFO_SIZE_V0 - 8;
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_INFO, &info), EINVAL);
  const evring_register request{EVRING_REGISTER_SIZE_V0 - 4, 0, EVRING_START_NEWEST, 0, 0};
  EXPECT_EQ(ioctl_errno(device.fd(), EVRING_IOC_REGISTER, &request), EINVAL);
  const evring_arm arm{};
  EXPECT_EQ(ioctl_errno(device.fd(), sized(EVRING_IOC_ARM, sizeof(arm) + 8), &arm), ENOTTY);
}

}  // namespace
}  // namespace evring::kernel_test
