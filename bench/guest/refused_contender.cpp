// SPDX-License-Identifier: MIT
// The ceiling of a driver that takes its events by ioctl: injections that the ring's driver
// copies in, checks and refuses. Nothing is published, nobody reads, and the injectors have
// the CPUs for themselves.
#include <evring/abi.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <evring/device.hpp>
#include <new>
#include <stdexcept>
#include <thread>

#include "contender.hpp"

namespace evring::compare {
namespace {

constexpr char kDeviceName[] = "compare-refused";

using Counter = std::atomic<std::uint64_t>;

class RefusedProducer : public ProducerSide {
 public:
  explicit RefusedProducer(Counter& calls) : calls_(calls) {}
  ~RefusedProducer() override { calls_ += made_; }
  std::uint32_t inject(const Input* inputs, std::uint32_t count) override {
    std::copy_n(inputs, count, inputs_.begin());
    inputs_[count - 1].length_bytes = sizeof(Input);  // more than its payload
    evring_inject argument{};
    argument.size = sizeof(argument);
    argument.event_count = count;
    argument.event_bytes = sizeof(Input);
    argument.events = reinterpret_cast<std::uintptr_t>(inputs_.data());
    if (node_.try_call(EVRING_IOC_INJECT, &argument) != EINVAL) {
      throw std::runtime_error(node_.path() + ": took an event that is too long");
    }
    made_ += count;
    return count;
  }

 private:
  Node node_{std::string(EVRING_DEVICE_DIR "/") + kDeviceName, O_WRONLY};
  std::array<Input, EVRING_BASELINE_BATCH_MAX> inputs_{};
  Counter& calls_;
  std::uint64_t made_ = 0;
};

class RefusedConsumer : public ConsumerSide {
 public:
  bool poll(Verifier&) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return false;
  }
  bool balanced(std::uint64_t) override { return true; }
  std::uint64_t lost() override { return 0; }
};

class RefusedContender : public Contender {
 public:
  RefusedContender()
      : memory_(::mmap(nullptr, sizeof(Counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    calls_ = new (memory_) Counter{0};
    control_.add({.name = kDeviceName});
  }
  RefusedContender(const RefusedContender&) = delete;
  RefusedContender& operator=(const RefusedContender&) = delete;
  ~RefusedContender() override {
    control_.remove(kDeviceName);
    ::munmap(memory_, sizeof(Counter));
  }

  std::unique_ptr<ProducerSide> open_producer() override {
    return std::make_unique<RefusedProducer>(*calls_);
  }
  std::unique_ptr<ConsumerSide> open_consumer() override {
    return std::make_unique<RefusedConsumer>();
  }
  Account account() override {
    Account account;
    account.published = account.left = *calls_;
    return account;
  }
  bool broadcast() const override { return false; }

 private:
  void* memory_;
  Counter* calls_;
  Control control_;
};

}  // namespace

std::unique_ptr<Contender> make_refused(const Settings&) {
  return std::make_unique<RefusedContender>();
}

}  // namespace evring::compare
