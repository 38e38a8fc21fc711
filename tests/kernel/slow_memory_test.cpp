// SPDX-License-Identifier: MIT
// User memory that takes long to be there holds up the call that needs it, and no other.
// Each page faults in userfaultfd until the test lets it go; a child process does the calls,
// so that one that hangs is a failure and can be ended.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "device_fixture.hpp"
#include "slow_page.hpp"

namespace evring::kernel_test {
namespace {

class SlowMemoryTest : public DeviceTest {
 protected:
  /// Whether `call` returned true in a process of its own, before it counts as hung.
  template <class Call>
  static void expect_in_child(Call&& call) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(call() ? 0 : 1);
    int status = -1;
    const bool ended = eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; });
    if (!ended) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
    }
    EXPECT_TRUE(ended) << "hung";
    EXPECT_EQ(status, 0);
  }
};

TEST_F(SlowMemoryTest, AMapDoesNotHangOnARegisterWhoseAnswerFaults) {
  const Device device = add([](auto& c) { c.mode = EVRING_MODE_GATED; });
  expect_in_child([fd = device.fd()] {
    SlowPage page;
    auto* request = static_cast<evring_register*>(page.memory());
    *request = {sizeof(*request), 0, EVRING_START_NEWEST, 0, 0};
    page.protect();
    int registered = -1;
    std::thread registrar([&] { registered = ioctl_errno(fd, EVRING_IOC_REGISTER, request); });
    page.wait_for_fault();
    const auto map = [&] {
      return ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                    EVRING_MMAP_CONSUMER);
    };
    const bool early = map() == MAP_FAILED && errno == ENXIO;
    const bool second = ioctl_errno(fd, EVRING_IOC_REGISTER, request) == EBUSY;
    page.release();
    registrar.join();
    return early && second && registered == 0 && map() != MAP_FAILED;
  });
}

TEST_F(SlowMemoryTest, AReadDoesNotHangOnOneWhoseBufferFaults) {
  Device device = add();
  inject(device, 2);
  expect_in_child([fd = device.fd()] {
    SlowPage page;
    page.protect();
    ssize_t first = -1;
    std::thread reader([&] { first = ::read(fd, page.memory(), 1); });
    page.wait_for_fault();
    char byte = 0;
    const ssize_t second = ::read(fd, &byte, 1);
    page.release();
    reader.join();
    return first == 1 && second == 1 && *static_cast<char*>(page.memory()) == '0' && byte == ' ';
  });
}

TEST_F(SlowMemoryTest, TextThatCouldNotBeWrittenIsReadNextTime) {
  Device device = add();
  inject(device, 1);
  void* unwritable = ::mmap(nullptr, kPageBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_EQ(::read(device.fd(), unwritable, 100), -1);
  EXPECT_EQ(errno, EFAULT);
  ::munmap(unwritable, kPageBytes);
  char byte = 0;
  EXPECT_EQ(::read(device.fd(), &byte, 1), 1);
  EXPECT_EQ(byte, '0');
}

}  // namespace
}  // namespace evring::kernel_test
