// SPDX-License-Identifier: MIT
// The devices of evring.ko as C++ sees them: the control node, a device node and
// its mapping. Thin: one method per ioctl of abi.h, errors with the device's name.
#pragma once

#include <evring/abi.h>
#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/mapping.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace evring {

/// struct evring_device_config with the defaults of a soft device.
struct DeviceConfig {
  std::string name;
  std::uint32_t source = EVRING_SOURCE_SOFT;
  Mode mode = Mode::kOverwrite;
  std::uint64_t slot_count = 4096;
  AnySlotLayout slot{};
  std::uint64_t first_sequence = 0;
  std::uint64_t rate_hz = 0;
  std::uint32_t batch_count = 1;
  std::uint32_t home_cpu = EVRING_HOME_CPU_ANY;
  std::uint32_t flags = 0;  ///< EVRING_DEVICE_*: IRQ_LINE for soft devices, others for any
};

/// /dev/evring/control.
/// Every method throws std::system_error; its text names the node, what failed and,
/// where there is one, the remedy (module not loaded, no permission).
class Control {
 public:
  /// Open for reading is enough for list(); add() and remove() need a writable node.
  Control();
  /// @return the device's id.
  std::uint64_t add(const DeviceConfig& config);
  void remove(const std::string& name);
  std::vector<evring_device_info> list() const;

 private:
  void change(unsigned long request, void* argument, const std::string& what);

  bool is_writable_ = false;
  FileDescriptor fd_;
};

/// A gated cursor of a device: its page stays mapped until this object ends.
class DeviceCursor {
 public:
  DeviceCursor(DeviceCursor&&) noexcept;
  DeviceCursor& operator=(DeviceCursor&&) noexcept;
  ~DeviceCursor();
  evring_consumer_page* page() const noexcept { return page_; }
  std::uint64_t sequence() const noexcept { return sequence_; }

 private:
  friend class Device;
  DeviceCursor(evring_consumer_page* page, std::uint64_t sequence) noexcept
      : page_(page), sequence_(sequence) {}
  evring_consumer_page* page_;
  std::uint64_t sequence_;
};

/// An open device node. Any thread may call; the kernel does the locking.
class Device {
 public:
  enum class Access { kReadOnly, kReadWrite };

  /// Opens /dev/evring/`name` (or a path, when it holds a '/').
  /// @throws std::system_error: ENOENT (no such device, or module not loaded: the
  ///         text says which), EACCES.
  static Device open(const std::string& name, Access access = Access::kReadOnly);

  /// The ring, mapped read-only. @throws as Mapping::attach().
  Mapping map() const;
  evring_device_info info() const;

  /// What an inject did; published_count < asked means dropped by a gated ring.
  struct Injected {
    std::uint32_t published_count;
    std::uint64_t first_sequence;
    std::uint64_t lock_wait_ns;
  };
  /// Injects `event_count` events laid out as struct evring_inject says, `event_bytes` each.
  Injected inject(const void* events, std::uint32_t event_count, std::uint32_t event_bytes);
  /// Starts, changes or (0) stops a timer device.
  void set_rate(std::uint64_t rate_hz, std::uint32_t batch_count);
  /// One gated cursor per descriptor; needs kReadWrite.
  [[nodiscard]] DeviceCursor register_cursor(StartAt start_at, std::uint64_t sequence = 0);
  void unregister_cursor();
  /// The ioctl rung: moderates this descriptor's next poll().
  void arm(const ArmRequest& request, std::uint64_t cursor);
  void disarm();

  int fd() const noexcept { return fd_.get(); }
  const std::string& name() const noexcept { return name_; }

 private:
  Device(FileDescriptor fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  FileDescriptor fd_;
  std::string name_;
};

/// ArmRequest and cursor as the kernel takes them.
evring_arm to_abi(const ArmRequest& request, std::uint64_t cursor) noexcept;

}  // namespace evring
