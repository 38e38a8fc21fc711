// SPDX-License-Identifier: MIT
#include "injectors.hpp"

#include "payload.hpp"

#include <evring/device.hpp>

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace evring::demo {
namespace {

constexpr unsigned kCountMax = 64;

/// One event as EVRING_IOC_INJECT takes it.
struct Input {
  std::uint32_t type = 1;
  std::uint32_t length_bytes = sizeof(Payload);
  Payload payload;
};
static_assert(sizeof(Input) == 48);

}  // namespace

struct Injectors::Shared {
  struct Count {
    std::uint64_t offered;
    std::uint64_t published;
  };
  std::atomic<int> phase{0};  ///< 0 wait, 1 inject, 2 end
  std::array<Count, kCountMax> counts{};
};

Injectors::Injectors(const std::string& device, unsigned count) {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  shared_ = new (memory) Shared;
  std::fflush(nullptr);
  for (unsigned i = 0; i < count && i < kCountMax; ++i) {
    const pid_t child = fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) run(device, i);
    children_.push_back(child);
  }
}

Injectors::~Injectors() {
  stop();
  munmap(shared_, sizeof(Shared));
}

void Injectors::run(const std::string& device_name, unsigned index) {
  try {
    Device device = Device::open(device_name, Device::Access::kReadWrite);
    while (shared_->phase.load() == 0) usleep(1000);
    Shared::Count& count = shared_->counts[index];
    while (shared_->phase.load(std::memory_order_relaxed) == 1) {
      Input input;
      input.payload = Payload::make(index, count.offered);
      const Device::Injected injected = device.inject(&input, 1, sizeof(input));
      count.offered += 1;
      count.published += injected.published_count;
    }
    _exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "injector: %s\n", error.what());
    _exit(1);
  }
}

void Injectors::go() { shared_->phase.store(1); }

Injected Injectors::stop() {
  shared_->phase.store(2);
  Injected injected;
  for (const pid_t child : children_) {
    int status = 0;
    const bool ended_well =
        waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    injected.all_ended_well = injected.all_ended_well && ended_well;
  }
  children_.clear();
  for (const Shared::Count& count : shared_->counts) {
    injected.offered += count.offered;
    injected.published += count.published;
  }
  injected.dropped = injected.offered - injected.published;
  return injected;
}

}  // namespace evring::demo
