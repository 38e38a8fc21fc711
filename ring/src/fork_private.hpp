// SPDX-License-Identifier: MIT
// Descriptors that a forked child must not keep: a child that held the server's
// sockets would make a dead owner look alive.
#pragma once

#include <evring/local_ring.hpp>

#include <mutex>

namespace evring {

/// Held while descriptors come and go: no fork happens in between.
std::unique_lock<std::mutex> hold_forks();

/// Call with hold_forks() held.
void keep_from_forks(int fd);
void release_to_forks(int fd) noexcept;

}  // namespace evring
