// SPDX-License-Identifier: MIT
// What one user may take of a device, and what is left for others.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "device_fixture.hpp"
#include "uring_client.hpp"

namespace evring::kernel_test {
namespace {

class OpeningsTest : public DeviceTest {};

/// As `user`: opens `path` until it is refused, says so on `done`, and stays. Never returns.
void take_every_open(const std::string& path, int done, uid_t user = 65534) {
  if (::setuid(user) != 0) ::_exit(1);
  int count = 0;
  while (count < 1000 && ::open(path.c_str(), O_RDONLY | O_CLOEXEC) >= 0) ++count;
  if (errno != EBUSY) count = -1;
  if (::write(done, &count, sizeof(count)) != sizeof(count)) ::_exit(2);
  ::pause();
  ::_exit(3);
}

TEST_F(OpeningsTest, OneReaderCannotTakeEveryOpen) {
  const Device device = add();
  const std::string path = EVRING_DEVICE_DIR "/" + device.name();
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  int done[2];
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  if (child == 0) take_every_open(path, done[1]);
  int count = 0;
  EXPECT_EQ(::read(done[0], &count, sizeof(count)), static_cast<ssize_t>(sizeof(count)));
  EXPECT_EQ(count, EVRING_OPEN_COUNT_MAX);
  EXPECT_NO_THROW(Device::open(device.name()));
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(eventually([&] { return device.info().open_count == 1; }));
}

/// Starts who takes every open as `user` does, and says how many that were.
pid_t start_taker(const std::string& path, uid_t user, int& count) {
  int done[2];
  if (::pipe(done) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) take_every_open(path, done[1], user);
  if (::read(done[0], &count, sizeof(count)) != static_cast<ssize_t>(sizeof(count))) count = -2;
  ::close(done[0]);
  ::close(done[1]);
  return child;
}

TEST_F(OpeningsTest, ManyUsersTogetherDoNotKeepRootOut) {
  const Device device = add();
  const std::string path = EVRING_DEVICE_DIR "/" + device.name();
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  constexpr int kUsers = 4096 / EVRING_OPEN_COUNT_MAX;
  std::vector<pid_t> children;
  int total = 0;
  for (int i = 0; i <= kUsers; ++i) {
    int count = 0;
    children.push_back(start_taker(path, static_cast<uid_t>(100000 + i), count));
    total += count;
  }
  EXPECT_EQ(total, 4095) << "and the one of root";
  EXPECT_NO_THROW(Device::open(device.name()));
  for (const pid_t child : children) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  EXPECT_TRUE(eventually([&] { return device.info().open_count == 1; }));
}

TEST_F(OpeningsTest, AUserParksABoundedNumberOfCommands) {
  const Device device = add();
  std::vector<Device> descriptors;
  UringClient uring;
  for (int i = 0; i < EVRING_COMMAND_COUNT_MAX; ++i) {
    if (i % 16 == 0) descriptors.push_back(Device::open(device.name()));
    uring.arm(descriptors.back().fd(), {0, 0, 1, 10000}, 1);
  }
  EXPECT_EQ(attribute(device.name(), "armed_count"), EVRING_COMMAND_COUNT_MAX);
  uring.arm(device.fd(), {0, 0, 1, 10000}, 2);
  auto completion = uring.wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->user_data, 2u);
  EXPECT_EQ(completion->result, -EBUSY);
  ASSERT_EQ(ioctl_errno(descriptors[0].fd(), EVRING_IOC_DISARM), 0);
  for (int i = 0; i < 16; ++i) {
    completion = uring.wait();
    ASSERT_TRUE(completion.has_value());
    EXPECT_EQ(completion->result, -ECANCELED);
  }
  uring.arm(device.fd(), {0, 0, 1, 10000}, 3);
  EXPECT_FALSE(uring.wait(std::chrono::milliseconds(20)).has_value()) << "room for it again";
}

}  // namespace
}  // namespace evring::kernel_test
