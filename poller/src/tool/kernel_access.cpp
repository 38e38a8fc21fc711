// SPDX-License-Identifier: MIT
#include "tool/kernel_access.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <evring/runtime_dir.hpp>

#include "tool/module.hpp"

namespace evring::tool {
namespace {

/// What modprobe can load, modprobe is to load.
std::string load_remedy() {
  const bool is_installed = find_module().state == ModuleFound::State::kInstalled;
  return fmt::format("{}, or use local rings; 'evring doctor' says more",
                     is_installed ? "load it with 'modprobe evring'"
                                  : "it is not installed for this kernel: build kmod/ and 'insmod "
                                    "evring.ko', or install it and 'modprobe evring'");
}

/// The remedy for an errno, whatever the thing was.
std::string remedy_for(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "run as root, or let an administrator open the node's mode";
    case EBUSY:
      return "end whoever uses it, then try again";
    case EEXIST:
      return "take another name, or 'evring remove' that one first";
    case EADDRINUSE:
      return "take another name, or end the process that serves it";
    case ENOSPC:
      return fmt::format("remove one first (at most {} devices, {} registered consumers a ring)",
                         EVRING_DEVICE_COUNT_MAX, EVRING_CONSUMER_COUNT_MAX);
    case ENOMEM:
      return "take fewer or smaller slots";
    case EAGAIN:
    case ETIMEDOUT:
      return "its owner is stopped: let it go on, or end it";
    case ECONNREFUSED:
      return "start it again; 'evring list' shows what is there";
    case ENODEV:
      return "'evring list' shows what is there";
    case ENOTTY:
    case EPROTO:
      return "use a command and a module of the same version";
    default:
      return "";
  }
}

}  // namespace

bool module_loaded() { return access(EVRING_CONTROL_PATH, F_OK) == 0; }

Failure explain(const std::string& thing, const std::system_error& error) {
  // It says all: whose folder, and the way out.
  if (dynamic_cast<const RuntimeDirRefused*>(&error) != nullptr) return Failure(error.what());
  const int code = error.code().value();
  return failure(thing, std::strerror(code), remedy_for(code));
}

Control open_control() {
  try {
    return Control();
  } catch (const std::system_error& error) {
    if (error.code().value() == ENOENT || error.code().value() == ENXIO) {
      throw failure("kernel devices", "module evring is not loaded", load_remedy());
    }
    throw explain(EVRING_CONTROL_PATH, error);
  }
}

Device open_device(const std::string& name, Device::Access access) {
  const std::string thing = fmt::format("device '{}'", name);
  try {
    return Device::open(name, access);
  } catch (const std::system_error& error) {
    if (error.code().value() != ENOENT) throw explain(thing, error);
    if (!module_loaded()) throw failure(thing, "module evring is not loaded", load_remedy());
    throw failure(thing, fmt::format("not found in {}", EVRING_DEVICE_DIR),
                  "'evring list' shows what is there");
  }
}

RingLink open_ring(const RingName& ring, const LinkOptions& options) {
  const bool is_local = ring.is_local;
  const std::string thing = fmt::format("{} '{}'", is_local ? "local ring" : "device", ring.name);
  try {
    return RingLink::open(ring.text(), options);
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    if (is_local && code == ENOENT) {
      throw failure(thing, fmt::format("nobody serves {}", local_socket_path(ring.name).string()),
                    "'evring list' shows what is there");
    }
    if (is_local && code == ECONNREFUSED) {
      throw failure(thing, "its owner has died",
                    "start it again; 'evring list' shows what is there");
    }
    if (!is_local && code == ENOENT) open_device(ring.name, Device::Access::kReadOnly);
    throw explain(thing, error);
  } catch (const std::out_of_range& error) {
    throw failure(thing, error.what(), "start at oldest or newest");
  }
}

}  // namespace evring::tool
