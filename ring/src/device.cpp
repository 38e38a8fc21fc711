// SPDX-License-Identifier: MIT
// The devices of evring.ko: one method per ioctl of abi.h. What the caller did wrong
// and what to do about it goes into the error, for the errno alone tells neither.
#include "evring/device.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "start_at.hpp"
#include "system.hpp"

namespace evring {
namespace {

bool module_is_loaded() noexcept {
  struct stat info {};
  return ::stat(EVRING_CONTROL_PATH, &info) == 0;
}

std::string remedy_for(int error) {
  if (error == ENOENT && !module_is_loaded()) {
    return ": module evring is not loaded (modprobe evring, or insmod kmod/evring.ko)";
  }
  if (error == ENOENT) return ": no such device (evring list shows those there are)";
  if (error == EACCES || error == EPERM) {
    return ": no permission (run as root, or as a user that the node's mode allows)";
  }
  return "";
}

FileDescriptor open_node(const std::string& path, int flags) {
  FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd) {
    const int error = errno;
    throw_errno(path + remedy_for(error), error);
  }
  return fd;
}

/// One ioctl, again when a signal came first.
void call(int fd, unsigned long request, void* argument, const std::string& what) {
  while (::ioctl(fd, request, argument) != 0) {
    if (errno != EINTR) throw_errno(what);
  }
}

void copy_name(char (&to)[EVRING_NAME_BYTES], const std::string& name) {
  if (name.empty() || name.size() >= sizeof(to)) {
    throw_errno("device name \"" + name + "\" has " + std::to_string(name.size()) +
                    " characters, expected 1 to " + std::to_string(sizeof(to) - 1),
                EINVAL);
  }
  std::memcpy(to, name.c_str(), name.size() + 1);
}

template <class To>
To clamp_to(std::int64_t value) noexcept {
  constexpr auto kMost = static_cast<std::int64_t>(std::numeric_limits<To>::max());
  return static_cast<To>(std::clamp<std::int64_t>(value, 0, kMost));
}

}  // namespace

Control::Control() {
  is_writable_ = ::access(EVRING_CONTROL_PATH, W_OK) == 0;
  fd_ = open_node(EVRING_CONTROL_PATH, is_writable_ ? O_RDWR : O_RDONLY);
}

void Control::change(unsigned long request, void* argument, const std::string& what) {
  if (!is_writable_) {
    throw_errno(what + ": " + EVRING_CONTROL_PATH + remedy_for(EACCES), EACCES);
  }
  call(fd_.get(), request, argument, what);
}

std::uint64_t Control::add(const DeviceConfig& config) {
  evring_device_config abi{};
  abi.size = sizeof(abi);
  abi.flags = config.flags;
  copy_name(abi.name, config.name);
  abi.source = config.source;
  abi.mode = static_cast<std::uint32_t>(config.mode);
  abi.slot_count = config.slot_count;
  abi.slot_bytes = config.slot.slot_bytes();
  abi.slot_format = static_cast<std::uint32_t>(config.slot.format());
  abi.first_sequence = config.first_sequence;
  abi.rate_hz = config.rate_hz;
  abi.batch_count = config.batch_count;
  abi.home_cpu = config.home_cpu;
  change(EVRING_IOC_ADD, &abi, "adding device " + config.name);
  return abi.device_id;
}

void Control::remove(const std::string& name) {
  evring_device_name abi{};
  abi.size = sizeof(abi);
  copy_name(abi.name, name);
  change(EVRING_IOC_REMOVE, &abi, "removing device " + name);
}

std::vector<evring_device_info> Control::list() const {
  std::vector<evring_device_info> devices;
  std::uint64_t next_id = 0;
  for (;;) {
    evring_device_info info{};
    info.size = sizeof(info);
    info.device_id = next_id;
    if (::ioctl(fd_.get(), EVRING_IOC_LIST, &info) != 0) {
      if (errno == EINTR) continue;
      if (errno == ENOENT) return devices;
      throw_errno("listing devices");
    }
    next_id = info.device_id + 1;
    devices.push_back(info);
  }
}

DeviceCursor::DeviceCursor(DeviceCursor&& other) noexcept
    : page_(std::exchange(other.page_, nullptr)), sequence_(other.sequence_) {}

DeviceCursor& DeviceCursor::operator=(DeviceCursor&& other) noexcept {
  std::swap(page_, other.page_);
  std::swap(sequence_, other.sequence_);
  return *this;
}

DeviceCursor::~DeviceCursor() {
  if (page_ != nullptr) ::munmap(page_, kPageBytes);
}

Device Device::open(const std::string& name, Access access) {
  const bool is_path = name.find('/') != std::string::npos;
  const std::string path = is_path ? name : std::string(EVRING_DEVICE_DIR) + "/" + name;
  const int flags = access == Access::kReadWrite ? O_RDWR : O_RDONLY;
  return Device(open_node(path, flags), is_path ? name.substr(name.rfind('/') + 1) : name);
}

Mapping Device::map() const { return Mapping::attach(fd_.get(), name_); }

evring_device_info Device::info() const {
  evring_device_info info{};
  info.size = sizeof(info);
  call(fd_.get(), EVRING_IOC_INFO, &info, "asking device " + name_);
  return info;
}

Device::Injected Device::inject(const void* events, std::uint32_t event_count,
                                std::uint32_t event_bytes) {
  evring_inject abi{};
  abi.size = sizeof(abi);
  abi.event_count = event_count;
  abi.event_bytes = event_bytes;
  abi.events = reinterpret_cast<std::uintptr_t>(events);
  call(fd_.get(), EVRING_IOC_INJECT, &abi, "injecting into device " + name_);
  return {abi.published_count, abi.first_sequence, abi.lock_wait_ns};
}

void Device::set_rate(std::uint64_t rate_hz, std::uint32_t batch_count) {
  evring_rate abi{};
  abi.size = sizeof(abi);
  abi.rate_hz = rate_hz;
  abi.batch_count = batch_count;
  call(fd_.get(), EVRING_IOC_SET_RATE, &abi, "setting the rate of device " + name_);
}

DeviceCursor Device::register_cursor(StartAt start_at, std::uint64_t sequence) {
  evring_register abi{};
  abi.size = sizeof(abi);
  abi.start_at = to_abi(start_at);
  abi.sequence = sequence;
  call(fd_.get(), EVRING_IOC_REGISTER, &abi, "registering at device " + name_);
  void* page = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(),
                      static_cast<off_t>(EVRING_MMAP_CONSUMER));
  if (page == MAP_FAILED) {
    const int error = errno;
    ::ioctl(fd_.get(), EVRING_IOC_UNREGISTER);
    throw_errno("mapping the cursor page of device " + name_, error);
  }
  return {static_cast<evring_consumer_page*>(page), abi.sequence};
}

void Device::unregister_cursor() {
  call(fd_.get(), EVRING_IOC_UNREGISTER, nullptr, "unregistering from device " + name_);
}

void Device::arm(const ArmRequest& request, std::uint64_t cursor) {
  evring_arm abi = evring::to_abi(request, cursor);
  call(fd_.get(), EVRING_IOC_ARM, &abi, "arming device " + name_);
}

void Device::disarm() { call(fd_.get(), EVRING_IOC_DISARM, nullptr, "disarming device " + name_); }

evring_arm to_abi(const ArmRequest& request, std::uint64_t cursor) noexcept {
  evring_arm abi{};
  abi.cursor = cursor;
  abi.wake_us = clamp_to<std::uint32_t>(request.wake.count());
  abi.wake_events = request.wake_events;
  abi.max_idle_ms = clamp_to<std::uint16_t>(request.max_idle.count());
  return abi;
}

}  // namespace evring
