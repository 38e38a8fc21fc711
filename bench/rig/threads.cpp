// SPDX-License-Identifier: MIT
// Pinning and scheduling of measuring threads.
#include <bench/rig/threads.hpp>

#include <pthread.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <thread>

namespace evring::bench {
namespace {

std::vector<int> read_allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) {
    throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
  }
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

// Before main(), and so before anything is pinned: a thread that is says that one CPU
// is all there is.
const std::vector<int> cpus_at_start = read_allowed_cpus();

}  // namespace

const std::vector<int>& allowed_cpus() { return cpus_at_start; }

void pin_this_thread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  const int error = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), "pin to CPU " + std::to_string(cpu));
  }
}

Placement Placement::of(const Case& one) {
  Placement placement;
  if (!one.cpus.empty()) placement.cpus = one.cpus;
  placement.fifo = one.fifo;
  placement.producer_alone = one.variant != kSpread;
  return placement;
}

int Placement::cpu_of(unsigned role) const {
  if (!producer_alone || role == 0 || cpus.size() == 1) return cpus.at(role % cpus.size());
  return cpus.at(1 + (role - 1) % (cpus.size() - 1));
}

void Placement::enter(unsigned role) const {
  pin_this_thread(cpu_of(role));
  if (!fifo) return;
  sched_param parameters{};
  parameters.sched_priority = 1;
  static_cast<void>(pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters));
}

void Rig::run(const std::vector<std::function<void()>>& roles) const {
  std::vector<std::jthread> threads;
  for (unsigned role = 0; role < roles.size(); ++role) {
    threads.emplace_back([this, role, &work = roles[role]] {
      placement_.enter(role);
      work();
    });
  }
}

}  // namespace evring::bench
