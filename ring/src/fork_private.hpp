// SPDX-License-Identifier: MIT
// What a forked child must not keep of its parent: descriptors that say who lives (a
// child that held them would make a dead parent look alive), and the right to publish.
#pragma once

#include <evring/descriptor.hpp>

#include <mutex>

namespace evring {

/// Held while descriptors come and go: no fork happens in between.
std::unique_lock<std::mutex> hold_forks();

/// Makes `fd` severed in every child forked from now on: the number stays, so whoever
/// owns it there may close it; what it stood for is closed, and looks hung up. Call with
/// hold_forks() held since before `fd` was opened.
FileDescriptor keep_from_forks(int fd);

/// Opens by `open()`, privately. @return empty with errno where that fails.
template <class Open>
FileDescriptor open_privately(Open&& open) {
  const auto held = hold_forks();
  const int fd = open();
  return fd < 0 ? FileDescriptor() : keep_from_forks(fd);
}

/// Calls `disown(object)` in every forked child, before anything else runs there, until
/// forget_in_forks(object).
void disown_in_forks(void* object, void (*disown)(void*));
void forget_in_forks(void* object) noexcept;

}  // namespace evring
