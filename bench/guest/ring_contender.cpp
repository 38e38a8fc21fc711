// SPDX-License-Identifier: MIT
// The ring: a soft device of evring.ko, filled by ioctl, read through its mapping with no
// system call as long as there is something to read.
#include <evring/abi.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <evring/consumer.hpp>

#include "contender.hpp"

namespace evring::compare {
namespace {

constexpr char kDeviceName[] = "compare";
constexpr std::size_t kBurst = 64;

std::string device_path() { return std::string(EVRING_DEVICE_DIR "/") + kDeviceName; }

class RingProducer : public ProducerSide {
 public:
  std::uint32_t inject(const Input* inputs, std::uint32_t count) override {
    evring_inject argument{};
    argument.size = sizeof(argument);
    argument.event_count = count;
    argument.event_bytes = sizeof(Input);
    argument.events = reinterpret_cast<std::uintptr_t>(inputs);
    node_.call(EVRING_IOC_INJECT, &argument, "inject");
    return argument.published_count;
  }

 private:
  Node node_{device_path(), O_WRONLY};
};

class RingConsumer : public ConsumerSide {
 public:
  bool poll(Verifier& verifier) override {
    return spin_then_yield([&] {
      const Burst burst = consumer_.visit_burst(
          kBurst, examine_slot, [&](const Finding& finding) noexcept { verifier.take(finding); });
      if (burst.status == ReadStatus::kOverrun) consumer_.resync();
      return burst.status != ReadStatus::kEmpty;
    });
  }
  bool balanced(std::uint64_t received) override {
    const Balance balance = consumer_.balance();
    return balance.balanced() && balance.received == received && balance.cursor == consumer_.head();
  }
  std::uint64_t lost() override { return consumer_.lost(); }

 private:
  static Finding examine_slot(const SlotView<DefaultSlot>& slot) noexcept {
    return examine(slot.type(), slot.length_bytes(),
                   [&](unsigned word) noexcept { return slot.word(word); });
  }

  Node node_{device_path(), O_RDONLY};
  Consumer consumer_{Mapping::attach(node_.fd(), node_.path()), StartAt::kOldest};
};

class RingContender : public Contender {
 public:
  explicit RingContender(const Settings& settings) {
    remove();  // what an earlier run may have left
    evring_device_config config{};
    config.size = sizeof(config);
    std::memcpy(config.name, kDeviceName, sizeof(kDeviceName));
    config.source = EVRING_SOURCE_SOFT;
    config.mode = EVRING_MODE_OVERWRITE;
    config.slot_count = settings.capacity;
    config.slot_bytes = EVRING_SLOT_BYTES_DEFAULT;
    config.slot_format = EVRING_SLOT_FULL;
    config.batch_count = 1;
    config.home_cpu = EVRING_HOME_CPU_ANY;
    control_.call(EVRING_IOC_ADD, &config, "add a device");
  }
  ~RingContender() override { remove(); }

  std::unique_ptr<ProducerSide> open_producer() override {
    return std::make_unique<RingProducer>();
  }
  std::unique_ptr<ConsumerSide> open_consumer() override {
    return std::make_unique<RingConsumer>();
  }
  Account account() override {
    const Node node{device_path(), O_RDONLY};
    evring_device_info info{};
    info.size = sizeof(info);
    node.call(EVRING_IOC_INFO, &info, "info");
    Account account;
    account.published = info.head - info.first_sequence;
    account.dropped = info.dropped;
    account.lock_wait_ns = info.lock_wait_ns;
    return account;
  }
  bool broadcast() const override { return true; }

 private:
  void remove() noexcept {
    evring_device_name name{};
    name.size = sizeof(name);
    std::memcpy(name.name, kDeviceName, sizeof(kDeviceName));
    control_.try_call(EVRING_IOC_REMOVE, &name);
  }

  Node control_{EVRING_CONTROL_PATH, O_RDWR};
};

}  // namespace

std::unique_ptr<Contender> make_ring(const Settings& settings) {
  return std::make_unique<RingContender>(settings);
}

}  // namespace evring::compare
