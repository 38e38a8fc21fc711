// SPDX-License-Identifier: MIT
// The baseline: the design of a kernel-programming course, in user space. A list
// of devices and a list of events per device, a mutex around each; memory is
// allocated and freed outside the critical sections, bursts splice under one lock.
// Any thread may call anything. Invariant of a device, whenever it is quiet:
// injected() == got() + waiting(), and offered() == injected() + refused().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace evring::peers {

/// The events of one device: `my_event_list` of the course. Each event goes to one
/// getter, so a broadcast takes one device per consumer.
///
/// `Payload` is copyable. With a `capacity_count` the list refuses what is past it;
/// without, it grows while its consumers lag, as the course's does.
template <class Payload>
class MutexDevice {
 public:
  static constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

  explicit MutexDevice(std::string name, std::uint64_t capacity_count = kUnbounded)
      : name_(std::move(name)), capacity_count_(capacity_count) {}
  ~MutexDevice() { free_chain(first_); }
  MutexDevice(const MutexDevice&) = delete;
  MutexDevice& operator=(const MutexDevice&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// Appends one event. @return false: the list is full; counted as refused.
  bool inject(const Payload& payload) { return inject_burst({&payload, 1}) == 1; }

  /// Appends events in order under one lock. @return how many; the rest were refused.
  std::size_t inject_burst(std::span<const Payload> payloads) {
    Chain chain = allocate_chain(payloads);
    if (chain.count == 0) return 0;
    Node* left_over = chain.first;
    std::size_t taken = 0;
    {
      const std::lock_guard<std::mutex> held(mutex_);
      const std::uint64_t room = capacity_count_ - waiting_;
      taken = static_cast<std::size_t>(std::min<std::uint64_t>(room, chain.count));
      left_over = append(chain, taken);
      injected_ += taken;
      refused_ += chain.count - taken;
    }
    free_chain(left_over);
    return taken;
  }

  /// Takes the oldest event. @return false: there is none.
  bool get(Payload& out) { return get_burst({&out, 1}) == 1; }

  /// Takes up to out.size() of the oldest events, in order, under one lock.
  std::size_t get_burst(std::span<Payload> out) {
    Node* taken = nullptr;
    {
      const std::lock_guard<std::mutex> held(mutex_);
      taken = detach(out.size());
    }
    std::size_t count = 0;
    for (const Node* node = taken; node != nullptr; node = node->next) {
      out[count++] = node->payload;
    }
    free_chain(taken);
    return count;
  }

  std::uint64_t injected() const { return locked(injected_); }
  std::uint64_t refused() const { return locked(refused_); }
  std::uint64_t got() const { return locked(got_); }
  std::uint64_t waiting() const { return locked(waiting_); }
  std::uint64_t offered() const {
    const std::lock_guard<std::mutex> held(mutex_);
    return injected_ + refused_;
  }

 private:
  struct Node {
    Node* next;
    Payload payload;
  };
  struct Chain {
    Node* first = nullptr;
    Node* last = nullptr;
    std::size_t count = 0;
  };

  static Chain allocate_chain(std::span<const Payload> payloads) {
    Chain chain;
    try {
      for (const Payload& payload : payloads) {
        Node* node = new Node{nullptr, payload};
        (chain.last == nullptr ? chain.first : chain.last->next) = node;
        chain.last = node;
        ++chain.count;
      }
    } catch (...) {
      free_chain(chain.first);
      throw;
    }
    return chain;
  }

  static void free_chain(Node* node) noexcept {
    while (node != nullptr) delete std::exchange(node, node->next);
  }

  /// Links the first `count` nodes of the chain in; returns those behind them.
  Node* append(const Chain& chain, std::size_t count) noexcept {
    if (count == 0) return chain.first;
    Node* last = chain.last;
    if (count < chain.count) {
      last = chain.first;
      for (std::size_t i = 1; i < count; ++i) last = last->next;
    }
    Node* left_over = std::exchange(last->next, nullptr);
    (last_ == nullptr ? first_ : last_->next) = chain.first;
    last_ = last;
    waiting_ += count;
    return left_over;
  }

  Node* detach(std::size_t count_max) noexcept {
    if (first_ == nullptr || count_max == 0) return nullptr;
    Node* taken = first_;
    Node* last = taken;
    std::size_t count = 1;
    for (; count < count_max && last->next != nullptr; ++count) last = last->next;
    first_ = std::exchange(last->next, nullptr);
    if (first_ == nullptr) last_ = nullptr;
    waiting_ -= count;
    got_ += count;
    return taken;
  }

  std::uint64_t locked(const std::uint64_t& counter) const {
    const std::lock_guard<std::mutex> held(mutex_);
    return counter;
  }

  const std::string name_;
  const std::uint64_t capacity_count_;
  mutable std::mutex mutex_;
  Node* first_ = nullptr;
  Node* last_ = nullptr;
  std::uint64_t waiting_ = 0;
  std::uint64_t injected_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t got_ = 0;
};

/// The devices: `my_device_list` of the course. A device that is removed lives on
/// until the last one who found it lets go.
template <class Payload>
class MutexDeviceList {
 public:
  using Device = MutexDevice<Payload>;

  /// @return nothing when the name is taken.
  std::shared_ptr<Device> add(const std::string& name,
                              std::uint64_t capacity_count = Device::kUnbounded) {
    auto device = std::make_shared<Device>(name, capacity_count);
    const std::lock_guard<std::mutex> held(mutex_);
    if (find_locked(name) != devices_.end()) return nullptr;
    devices_.push_back(device);
    return device;
  }

  /// @return false: no device of that name.
  bool remove(std::string_view name) {
    std::shared_ptr<Device> removed;  // freed after the lock
    const std::lock_guard<std::mutex> held(mutex_);
    const auto found = find_locked(name);
    if (found == devices_.end()) return false;
    removed = std::move(*found);
    devices_.erase(found);
    return true;
  }

  /// @return nothing when there is no device of that name.
  std::shared_ptr<Device> find(std::string_view name) {
    const std::lock_guard<std::mutex> held(mutex_);
    const auto found = find_locked(name);
    return found == devices_.end() ? nullptr : *found;
  }

  std::size_t count() const {
    const std::lock_guard<std::mutex> held(mutex_);
    return devices_.size();
  }

 private:
  using List = std::list<std::shared_ptr<Device>>;

  typename List::iterator find_locked(std::string_view name) {
    return std::find_if(devices_.begin(), devices_.end(),
                        [name](const auto& device) { return device->name() == name; });
  }

  mutable std::mutex mutex_;
  List devices_;
};

}  // namespace evring::peers
