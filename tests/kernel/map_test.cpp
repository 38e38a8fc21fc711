// SPDX-License-Identifier: MIT
// Mappings of a device node: the one that is right, and every other is refused.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

class MapTest : public DeviceTest {
 protected:
  static int map_errno(int fd, std::size_t bytes, int protection, int flags, std::uint64_t offset) {
    void* memory = ::mmap(nullptr, bytes, protection, flags, fd, static_cast<off_t>(offset));
    if (memory == MAP_FAILED) return errno;
    ::munmap(memory, bytes);
    return 0;
  }
};

TEST_F(MapTest, RefusesAllButTheWholeRingReadOnlyAndShared) {
  const Device device = add();
  const int fd = device.fd();
  const std::size_t bytes = device.info().mapping_bytes;
  EXPECT_EQ(map_errno(fd, bytes, PROT_READ, MAP_SHARED, 0), 0);
  EXPECT_EQ(map_errno(fd, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0), EPERM);
  EXPECT_EQ(map_errno(fd, bytes, PROT_WRITE, MAP_SHARED, 0), EPERM);
  EXPECT_EQ(map_errno(fd, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, 0), EPERM);
  EXPECT_EQ(map_errno(fd, bytes, PROT_READ, MAP_PRIVATE, 0), EINVAL);
  EXPECT_EQ(map_errno(fd, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0), EINVAL);
  EXPECT_EQ(map_errno(fd, bytes - 4096, PROT_READ, MAP_SHARED, 0), EINVAL);
  EXPECT_EQ(map_errno(fd, bytes + 4096, PROT_READ, MAP_SHARED, 0), EINVAL);
  EXPECT_EQ(map_errno(fd, bytes, PROT_READ, MAP_SHARED, 4096), EINVAL);
  EXPECT_EQ(map_errno(fd, bytes, PROT_READ, MAP_SHARED, 1ULL << 40), EINVAL);
}

TEST_F(MapTest, CannotBeMadeWritableOrGrownLater) {
  const Device device = add();
  const std::size_t bytes = device.info().mapping_bytes;
  void* memory = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, device.fd(), 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_EQ(::mprotect(memory, bytes, PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(::mprotect(memory, bytes, PROT_READ | PROT_EXEC), -1);
  EXPECT_EQ(::mremap(memory, bytes, bytes * 2, MREMAP_MAYMOVE), MAP_FAILED);
  ::munmap(memory, bytes);
}

TEST_F(MapTest, WorksThroughAReadOnlyDescriptor) {
  const Device device = add({}, Device::Access::kReadOnly);
  const int fd = device.fd();
  const std::size_t bytes = device.info().mapping_bytes;
  EXPECT_EQ(map_errno(fd, bytes, PROT_READ, MAP_SHARED, 0), 0);
  EXPECT_NE(map_errno(fd, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0), 0);
}

TEST_F(MapTest, ShowsACompleteHeader) {
  const Device device = add([](auto& c) { c.first_sequence = 77; });
  const Mapping mapping = device.map();
  const evring_header* header = mapping.header();
  EXPECT_EQ(header->device_id, device.info().device_id);
  EXPECT_EQ(header->head, 77u);
  EXPECT_EQ(header->clock, static_cast<std::uint32_t>(EVRING_CLOCK_MONOTONIC));
  EXPECT_EQ(mapping.name(), "ShowsACompleteHeader");
  EXPECT_GT(header->status.generation, 0u);
  EXPECT_GT(header->status.realtime_ns, header->status.monotonic_ns);

  std::string expected;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> expected;
  std::string found;
  for (const std::uint8_t byte : header->boot_id) {
    constexpr char kDigits[] = "0123456789abcdef";
    found += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  std::erase(expected, '-');
  EXPECT_EQ(found, expected);
}

TEST_F(MapTest, ConsumerPageNeedsARegistrationAndAWritableDescriptor) {
  Device device = add([](auto& c) { c.mode = EVRING_MODE_GATED; });
  const int kReadWrite = PROT_READ | PROT_WRITE;
  EXPECT_EQ(map_errno(device.fd(), 4096, kReadWrite, MAP_SHARED, EVRING_MMAP_CONSUMER), ENXIO);
  const DeviceCursor cursor = device.register_cursor(StartAt::kOldest);
  EXPECT_EQ(map_errno(device.fd(), 8192, kReadWrite, MAP_SHARED, EVRING_MMAP_CONSUMER), EINVAL);
  EXPECT_EQ(map_errno(device.fd(), 4096, kReadWrite, MAP_PRIVATE, EVRING_MMAP_CONSUMER), EINVAL);
  EXPECT_EQ(map_errno(device.fd(), 4096, kReadWrite | PROT_EXEC, MAP_SHARED, EVRING_MMAP_CONSUMER),
            EPERM);
  const Device reader = Device::open(device.name());
  EXPECT_NE(map_errno(reader.fd(), 4096, kReadWrite, MAP_SHARED, EVRING_MMAP_CONSUMER), 0);
}

}  // namespace
}  // namespace evring::kernel_test
