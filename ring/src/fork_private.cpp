// SPDX-License-Identifier: MIT
// See fork_private.hpp.
#include "fork_private.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace evring {
namespace {

struct Registry {
  std::mutex mutex;
  std::vector<int> descriptors;
};

Registry& registry() {
  static Registry* const instance = new Registry;  // outlives every other static
  return *instance;
}

void before_fork() { registry().mutex.lock(); }
void after_fork_in_parent() { registry().mutex.unlock(); }
void after_fork_in_child() {
  for (const int fd : registry().descriptors) ::close(fd);
  registry().descriptors.clear();
  registry().mutex.unlock();
}

}  // namespace

std::unique_lock<std::mutex> hold_forks() {
  static const int installed =
      ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  static_cast<void>(installed);
  return std::unique_lock<std::mutex>(registry().mutex);
}

void keep_from_forks(int fd) { registry().descriptors.push_back(fd); }

void release_to_forks(int fd) noexcept { std::erase(registry().descriptors, fd); }

}  // namespace evring
