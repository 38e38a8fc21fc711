// SPDX-License-Identifier: MIT
// Unloading evring.ko: refused while somebody holds a device, clean afterwards.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

int unload_errno() { return ::syscall(SYS_delete_module, "evring", O_NONBLOCK) == 0 ? 0 : errno; }

int load_errno() {
  const FileDescriptor file(::open("/modules/evring.ko", O_RDONLY | O_CLOEXEC));
  return ::syscall(SYS_finit_module, file.get(), "", 0) == 0 ? 0 : errno;
}

void add_device(const evring_device_config& config) {
  const FileDescriptor control(::open(EVRING_CONTROL_PATH, O_RDWR | O_CLOEXEC));
  ASSERT_EQ(ioctl_errno(control.get(), EVRING_IOC_ADD, &config), 0);
}

TEST(UnloadTest, IsRefusedWhileADescriptorIsOpen) {
  add_device(soft_config("held"));
  {
    const Device device = Device::open("held");
    EXPECT_EQ(unload_errno(), EAGAIN);
  }
  EXPECT_EQ(unload_errno(), 0);
  ASSERT_EQ(load_errno(), 0);
}

TEST(UnloadTest, IsRefusedWhileADeviceIsMappedEvenIfItIsRemoved) {
  add_device(soft_config("held"));
  auto mapping = std::make_unique<Mapping>(Device::open("held").map());
  EXPECT_EQ(unload_errno(), EAGAIN);
  Control().remove("held");
  EXPECT_EQ(unload_errno(), EAGAIN);
  mapping.reset();
  EXPECT_TRUE(eventually([] { return unload_errno() == 0; }));
  ASSERT_EQ(load_errno(), 0);
}

TEST(UnloadTest, TakesRunningTimersWithIt) {
  for (int i = 0; i < 4; ++i) {
    add_device(timer_config("ticking" + std::to_string(i), 10000, 1));
  }
  EXPECT_EQ(unload_errno(), 0);
  EXPECT_NE(::access(EVRING_CONTROL_PATH, F_OK), 0);
  ASSERT_EQ(load_errno(), 0);
  EXPECT_EQ(Control().list().size(), 0u);
}

}  // namespace
}  // namespace evring::kernel_test
