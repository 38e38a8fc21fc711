// SPDX-License-Identifier: MIT
// A driver's module and its device: tests/kernel/driver/held_driver.c, loaded anew each time.
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <thread>

#include "device_fixture.hpp"
#include "slow_page.hpp"

namespace evring::kernel_test {
namespace {

class DriverTest : public DeviceTest {
 protected:
  ~DriverTest() override {
    EXPECT_TRUE(eventually([] {
      const int error = unload_errno();
      return error == 0 || error == ENOENT;
    }));
  }
  static int load_errno(const char* parameters = "") {
    const FileDescriptor file(::open("/modules/held_driver.ko", O_RDONLY | O_CLOEXEC));
    return ::syscall(SYS_finit_module, file.get(), parameters, 0) == 0 ? 0 : errno;
  }
  static int unload_errno() {
    return ::syscall(SYS_delete_module, "held_driver", O_NONBLOCK) == 0 ? 0 : errno;
  }
  /// The driver unregisters its device; whether that was stopped then.
  static bool end() {
    std::ofstream file("/sys/module/held_driver/parameters/end");
    return static_cast<bool>(file << "1" << std::flush);
  }
  static bool is_stopping() {
    std::ifstream file("/sys/module/held_driver/parameters/stopping");
    return file.get() == 'Y';
  }
};

TEST_F(DriverTest, IsKeptByAnOpenDescriptor) {
  ASSERT_EQ(load_errno(), 0);
  auto device = std::make_unique<Device>(Device::open("held"));
  EXPECT_EQ(unload_errno(), EAGAIN);
  device.reset();
  EXPECT_TRUE(eventually([] { return unload_errno() == 0; }));
  EXPECT_THROW(Device::open("held"), std::system_error);
}

TEST_F(DriverTest, IsKeptByAMappingOfADeviceThatEnded) {
  ASSERT_EQ(load_errno(), 0);
  auto mapping = std::make_unique<Mapping>(Device::open("held").map());
  EXPECT_TRUE(end());
  EXPECT_EQ(gone(*mapping->header()), static_cast<std::uint64_t>(EVRING_GONE_REMOVED));
  EXPECT_EQ(unload_errno(), EAGAIN);
  mapping.reset();
  EXPECT_TRUE(eventually([] { return unload_errno() == 0; }));
}

TEST_F(DriverTest, IsNotAskedToInjectAfterTheEnd) {
  ASSERT_EQ(load_errno(), 0);
  const Device device = Device::open("held", Device::Access::kReadWrite);
  const InjectedEvent event;
  SlowPage page;
  auto* request = static_cast<evring_inject*>(page.memory());
  *request = inject_request(&event, 1);
  page.protect();
  int error = -1;
  std::thread injector([&] { error = ioctl_errno(device.fd(), EVRING_IOC_INJECT, request); });
  page.wait_for_fault();
  EXPECT_TRUE(end());
  page.release();
  injector.join();
  EXPECT_EQ(error, ENODEV);
}

TEST_F(DriverTest, IsStoppedWhenUnregisterReturnsThoughTheControlNodeWasFirst) {
  ASSERT_EQ(load_errno(), 0);
  int error = -1;
  std::thread remover([&] { error = remove("held"); });
  EXPECT_TRUE(eventually(is_stopping));
  EXPECT_TRUE(end());
  remover.join();
  EXPECT_EQ(error, 0);
}

TEST_F(DriverTest, CannotNameAHomeCpuThatIsNotThere) {
  EXPECT_EQ(load_errno("home_cpu=100000"), EINVAL);
  EXPECT_EQ(load_errno("home_cpu=0"), 0);
}

}  // namespace
}  // namespace evring::kernel_test
