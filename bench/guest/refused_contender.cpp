// SPDX-License-Identifier: MIT
// The ceiling of a driver that takes its events by ioctl: a ring that costs nothing. Its
// injections are copied in, checked and refused by the ring's driver, so nothing is
// published; its readers check as many payloads out of memory of their own.
#include <evring/abi.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <evring/device.hpp>
#include <new>
#include <stdexcept>

#include "contender.hpp"

namespace evring::compare {
namespace {

constexpr char kDeviceName[] = "compare-refused";
constexpr std::size_t kProducersMax = 64;
constexpr std::size_t kBurst = 64;

/// What the producers made, each in a line of its own.
struct Calls {
  struct alignas(64) Made {
    std::atomic<std::uint64_t> events{0};
  };
  std::atomic<std::size_t> producer_count{0};
  std::array<Made, kProducersMax> made;

  std::uint64_t total() const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < producer_count; ++i) sum += made[i].events;
    return sum;
  }
};

class RefusedProducer : public ProducerSide {
 public:
  explicit RefusedProducer(Calls& calls) : made_(calls.made.at(calls.producer_count++).events) {}
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
    made_.store(made_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    return count;
  }

 private:
  Node node_{std::string(EVRING_DEVICE_DIR "/") + kDeviceName, O_WRONLY};
  std::array<Input, EVRING_BASELINE_BATCH_MAX> inputs_{};
  std::atomic<std::uint64_t>& made_;
};

class RefusedConsumer : public ConsumerSide {
 public:
  explicit RefusedConsumer(const Calls& calls) : calls_(calls) {
    for (std::size_t i = 0; i < kBurst; ++i) inputs_[i] = make_input(0, i);
  }
  bool poll(Verifier& verifier) override {
    return spin_then_yield([&] {
      const std::uint64_t due = calls_.total() - checked_;
      check(std::min<std::uint64_t>(due, kBurst), verifier);
      return due != 0;
    });
  }
  bool balanced(std::uint64_t received) override {
    return received == checked_ && checked_ == calls_.total();
  }
  std::uint64_t lost() override { return 0; }

 private:
  void check(std::uint64_t count, Verifier& verifier) noexcept {
    for (std::uint64_t i = 0; i < count; ++i) {
      const Input& input = inputs_[i];
      Finding finding = examine(input.type, input.length_bytes,
                                [&](unsigned word) -> std::uint64_t { return input.word[word]; });
      finding.number = checked_++;
      verifier.take(finding);
    }
  }

  const Calls& calls_;
  std::array<Input, kBurst> inputs_;
  std::uint64_t checked_ = 0;
};

class RefusedContender : public Contender {
 public:
  RefusedContender()
      : memory_(::mmap(nullptr, sizeof(Calls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    calls_ = new (memory_) Calls;
    control_.add({.name = kDeviceName});
  }
  RefusedContender(const RefusedContender&) = delete;
  RefusedContender& operator=(const RefusedContender&) = delete;
  ~RefusedContender() override {
    control_.remove(kDeviceName);
    ::munmap(memory_, sizeof(Calls));
  }

  std::unique_ptr<ProducerSide> open_producer() override {
    return std::make_unique<RefusedProducer>(*calls_);
  }
  std::unique_ptr<ConsumerSide> open_consumer() override {
    return std::make_unique<RefusedConsumer>(*calls_);
  }
  Account account() override {
    Account account;
    account.published = calls_->total();
    return account;
  }
  bool broadcast() const override { return true; }

 private:
  void* memory_;
  Calls* calls_;
  Control control_;
};

}  // namespace

std::unique_ptr<Contender> make_refused(const Settings&) {
  return std::make_unique<RefusedContender>();
}

}  // namespace evring::compare
