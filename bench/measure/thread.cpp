// SPDX-License-Identifier: MIT
// Pinning and scheduling of measuring threads.
#include <bench/measure/thread.hpp>

#include <pthread.h>

#include <cerrno>
#include <string>
#include <system_error>

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

std::vector<int> allowed_cpus() { return cpus_at_start; }

void pin_this_thread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  const int error = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), "pin to CPU " + std::to_string(cpu));
  }
}

bool run_this_thread_fifo() noexcept {
  sched_param parameters{};
  parameters.sched_priority = 1;
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

int Placement::cpu_of(unsigned thread_index) const {
  if (!producer_alone || thread_index == 0 || cpus.size() == 1) {
    return cpus.at(thread_index % cpus.size());
  }
  return cpus.at(1 + (thread_index - 1) % (cpus.size() - 1));
}

void Placement::enter(unsigned thread_index) const {
  pin_this_thread(cpu_of(thread_index));
  if (fifo) run_this_thread_fifo();
}

}  // namespace evring::bench
