// SPDX-License-Identifier: MIT
// Adding, removing and listing: what is taken, what is refused and with which errno.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

class ControlTest : public DeviceTest {
 protected:
  int add_errno(const std::function<void(evring_device_config&)>& change) {
    evring_device_config config = soft_config("refused");
    change(config);
    return ioctl_errno(control_.get(), EVRING_IOC_ADD, &config);
  }
};

TEST_F(ControlTest, RefusesBadConfigurationsAndAddsNothing) {
  using C = evring_device_config;
  const std::size_t before = Control().list().size();
  EXPECT_EQ(add_errno([](C& c) { c.size = sizeof(c) - 8; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.size = 8192; }), E2BIG);
  EXPECT_EQ(add_errno([](C& c) { c.flags = 1U << 31; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.reserved[1] = 1; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.name[0] = '\0'; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { std::strcpy(c.name, "../etc"); }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { std::strcpy(c.name, "control"); }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { std::memset(c.name, 'a', sizeof(c.name)); }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.source = EVRING_SOURCE_LOCAL; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.source = EVRING_SOURCE_DRIVER; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.mode = 2; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.slot_count = 0; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.slot_count = 1; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.slot_count = 48; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.slot_count = EVRING_SLOT_COUNT_MAX * 2; }), E2BIG);
  EXPECT_EQ(add_errno([](C& c) { c.slot_count = 1ULL << 63; }), E2BIG);
  EXPECT_EQ(add_errno([](C& c) { c.slot_bytes = 48; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.slot_bytes = 16; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.slot_bytes = 8192; }), E2BIG);
  EXPECT_EQ(add_errno([](C& c) { c.slot_format = EVRING_SLOT_PACKED; }), EINVAL) << "local alone";
  EXPECT_EQ(add_errno([](C& c) { c.slot_format = 4; }), EINVAL);
  EXPECT_EQ(add_errno([](C& c) { c.rate_hz = 1; }), EINVAL) << "not a timer";
  EXPECT_EQ(Control().list().size(), before);
}

TEST_F(ControlTest, RefusesBadTimers) {
  const auto timer_errno = [this](const std::function<void(evring_device_config&)>& change) {
    evring_device_config config = timer_config("refused", 1000, 1);
    change(config);
    return ioctl_errno(control_.get(), EVRING_IOC_ADD, &config);
  };
  EXPECT_EQ(timer_errno([](auto& c) { c.rate_hz = EVRING_RATE_HZ_MAX + 1; }), ERANGE);
  EXPECT_EQ(timer_errno([](auto& c) { c.batch_count = 0; }), EINVAL);
  EXPECT_EQ(timer_errno([](auto& c) { c.batch_count = EVRING_BATCH_COUNT_MAX + 1; }), ERANGE);
  EXPECT_EQ(timer_errno([](auto& c) { c.home_cpu = 100000; }), EINVAL);
  EXPECT_EQ(timer_errno([](auto& c) { c.flags = EVRING_DEVICE_IRQ_LINE; }), EINVAL);
}

TEST_F(ControlTest, RefusesUnknownRequestsAndBadPointers) {
  EXPECT_EQ(ioctl_errno(control_.get(), _IO(EVRING_IOC_TYPE, 0x7f)), ENOTTY);
  EXPECT_EQ(ioctl_errno(control_.get(), EVRING_IOC_INJECT), ENOTTY);
  EXPECT_EQ(ioctl_errno(control_.get(), EVRING_IOC_ADD, nullptr), EFAULT);
  EXPECT_EQ(ioctl_errno(control_.get(), EVRING_IOC_LIST, reinterpret_cast<void*>(8)), EFAULT);
}

TEST_F(ControlTest, RefusesANameTwiceAndAnUnknownOne) {
  add();
  EXPECT_THROW(add(), std::system_error);
  EXPECT_EQ(remove("RefusesANameTwiceAndAnUnknownOn"), 0);
  EXPECT_EQ(remove("RefusesANameTwiceAndAnUnknownOn"), ENOENT);
  EXPECT_EQ(remove("none"), ENOENT);
}

TEST_F(ControlTest, RefusesChangesThroughAReadOnlyDescriptorWithoutThePrivilege) {
  const FileDescriptor reader(::open(EVRING_CONTROL_PATH, O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(static_cast<bool>(reader));
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    const evring_device_config config = soft_config("refused");
    const bool refused = ioctl_errno(reader.get(), EVRING_IOC_ADD, &config) == EBADF;
    evring_device_info info{};
    info.size = sizeof(info);
    const int listed = ioctl_errno(reader.get(), EVRING_IOC_LIST, &info);
    ::_exit(refused && (listed == 0 || listed == ENOENT) ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

/// Whether `listed` tells nothing of what happens on its device.
bool tells_of_no_event(const evring_device_info& listed) {
  return listed.head == listed.first_sequence && listed.dropped == 0 && listed.lock_wait_ns == 0 &&
         listed.lock_contended == 0 && listed.doorbells_rung == 0 &&
         listed.doorbells_suppressed == 0 && listed.open_count == 0 &&
         listed.registered_count == 0 && listed.armed_count == 0;
}

TEST_F(ControlTest, TheListTellsOfEventsToThoseWhoMayReadTheNodeAlone) {
  Device device = add([](auto& c) { c.first_sequence = 1000; });
  inject(device, 3);
  const FileDescriptor reader(::open(EVRING_CONTROL_PATH, O_RDONLY | O_CLOEXEC));
  evring_device_info listed{};
  listed.size = sizeof(listed);
  listed.device_id = device.info().device_id;
  evring_device_info of_nobody = listed;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    if (ioctl_errno(reader.get(), EVRING_IOC_LIST, &of_nobody) != 0) ::_exit(2);
    const bool is_listed = of_nobody.slot_count == 64 && device.name() == of_nobody.name;
    ::_exit(is_listed && tells_of_no_event(of_nobody) ? 0 : 3);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(ioctl_errno(reader.get(), EVRING_IOC_LIST, &listed), 0);
  EXPECT_EQ(listed.head, 1003u);
  EXPECT_EQ(listed.open_count, 1u);
}

TEST_F(ControlTest, ListsWhatWasAdded) {
  Device device = add([](auto& c) {
    c.slot_bytes = 128;
    c.mode = EVRING_MODE_GATED;
    c.first_sequence = 1000;
  });
  inject(device, 3);
  const evring_device_info info = device.info();
  EXPECT_STREQ(info.name, "ListsWhatWasAdded");
  EXPECT_EQ(info.source, static_cast<std::uint32_t>(EVRING_SOURCE_SOFT));
  EXPECT_EQ(info.mode, static_cast<std::uint32_t>(EVRING_MODE_GATED));
  EXPECT_EQ(info.slot_count, 64u);
  EXPECT_EQ(info.slot_bytes, 128u);
  EXPECT_EQ(info.mapping_bytes, 4096u + 64 * 128);
  EXPECT_EQ(info.first_sequence, 1000u);
  EXPECT_EQ(info.head, 1003u);
  EXPECT_EQ(info.open_count, 1u);
  bool found = false;
  for (const evring_device_info& listed : Control().list()) {
    found |= listed.device_id == info.device_id && std::strcmp(listed.name, info.name) == 0;
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(attribute("ListsWhatWasAdded", "head"), 1003u);
}

TEST_F(ControlTest, ANewDeviceOfAnOldNameHasANewGeneration) {
  const std::string name = "ANewDeviceOfAnOldNameHasANewGen";
  add();
  const std::uint64_t first = attribute(name, "generation");
  ASSERT_EQ(remove(name), 0);
  add();
  EXPECT_GT(attribute(name, "generation"), first);
}

std::string boot_id_of_header(const std::string& name) {
  const Mapping mapping = Device::open(name).map();
  std::string text;
  for (const unsigned byte : mapping.header()->boot_id) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

TEST_F(ControlTest, TheBootIdIsTheKernelsWhateverLiesUnderTheCallersRoot) {
  const std::filesystem::path root = "/tmp/another_root";
  const std::filesystem::path boot_id = "proc/sys/kernel/random/boot_id";
  std::filesystem::create_directories((root / boot_id).parent_path());
  std::ofstream(root / boot_id) << "11111111-2222-3333-4444-555555555555\n";
  const evring_device_config config = soft_config("elsewhere");
  const pid_t child = ::fork();
  if (child == 0) {
    const bool moved = ::chroot(root.c_str()) == 0;
    ::_exit(moved && ioctl_errno(control_.get(), EVRING_IOC_ADD, &config) == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  std::string text;
  std::ifstream("/" / boot_id) >> text;
  std::erase(text, '-');
  EXPECT_EQ(boot_id_of_header("elsewhere"), text);
}

TEST_F(ControlTest, CountersAreForThoseWhoMayReadTheNode) {
  const Device device = add();
  const std::string folder = "/sys/class/evring/" + device.name() + "/";
  for (const char* counter : {"head", "dropped", "lock_wait_ns", "doorbells_rung"}) {
    struct stat status {};
    ASSERT_EQ(::stat((folder + counter).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0440u) << counter;
  }
}

}  // namespace
}  // namespace evring::kernel_test
