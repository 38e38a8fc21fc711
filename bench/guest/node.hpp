// SPDX-License-Identifier: MIT
// What the drivers of a race are made of: nodes, ioctls, a device of one run, waiting. What
// fails throws std::system_error that says at what.
#pragma once

#include <evring/device.hpp>
#include <evring/memory.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "kmod/baseline_abi.h"

namespace evring::bench {

inline FileDescriptor open_node(const std::string& path, int flags) {
  FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd) throw std::system_error(errno, std::generic_category(), path);
  return fd;
}

/// @return 0 or the errno.
inline int try_call(const FileDescriptor& fd, unsigned long request, void* argument) noexcept {
  return ::ioctl(fd.get(), request, argument) == 0 ? 0 : errno;
}

inline void require(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

/// INJECT or GET of a baseline driver.
inline evring_baseline_transfer transfer_of(std::uint64_t device_id, const void* events,
                                            std::uint32_t count) noexcept {
  return {.device_id = device_id,
          .events = reinterpret_cast<std::uintptr_t>(events),
          .event_count = count,
          .done_count = 0};
}

/// Puts events into a baseline driver.
class BaselineProducer {
 public:
  BaselineProducer(const char* path, unsigned long request, std::uint64_t device_id)
      : node_(open_node(path, O_WRONLY)), request_(request), device_id_(device_id) {}
  std::uint32_t inject(const evring_baseline_input* events, std::uint32_t count) {
    auto argument = transfer_of(device_id_, events, count);
    require(try_call(node_, request_, &argument), "inject");
    return argument.done_count;
  }

 private:
  FileDescriptor node_;
  unsigned long request_;
  std::uint64_t device_id_;
};

inline std::string name_of_this_run() { return "rig" + std::to_string(::getpid()); }

/// A device of evring.ko that goes with this object.
class OwnDevice {
 public:
  explicit OwnDevice(const DeviceConfig& config) : name_(config.name) { control_.add(config); }
  OwnDevice(const OwnDevice&) = delete;
  OwnDevice& operator=(const OwnDevice&) = delete;
  ~OwnDevice() {
    try {
      control_.remove(name_);
    } catch (const std::system_error&) {  // what is thrown meanwhile says more
    }
  }

  const std::string& name() const noexcept { return name_; }
  Device open() const { return Device::open(name_, Device::Access::kReadWrite); }

 private:
  std::string name_;
  Control control_;
};

}  // namespace evring::bench
