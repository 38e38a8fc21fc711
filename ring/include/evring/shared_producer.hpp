// SPDX-License-Identifier: MIT
// Several threads in front of one ring: they share its producer through a lock,
// and the time spent waiting there is counted, not hidden.
#pragma once

#include <evring/detail/lease.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

namespace evring {

/// A BasicProducer behind a mutex. Any thread may publish. The copy in a forked child
/// publishes nothing, and waits for no thread of its parent.
template <class Layout>
class SharedProducer {
 public:
  using EventType = BasicEvent<Layout>;

  explicit SharedProducer(const LocalRing& ring, WhenFull when_full = WhenFull::kWait)
      : producer_(ring, when_full),
        may_wait_(when_full == WhenFull::kWait && producer_.geometry().mode == Mode::kGated) {}

  PublishStatus publish(const EventType& event) noexcept {
    const auto held = acquire();
    return producer_.publish(event);
  }

  std::size_t publish_batch(std::span<const EventType> events) noexcept {
    const auto held = acquire();
    return producer_.publish_batch(events);
  }

  /// Calls `use(BasicProducer<Layout>&)` under the lock.
  template <class Use>
  decltype(auto) with_producer(Use&& use) {
    const auto held = acquire();
    return std::forward<Use>(use)(producer_);
  }

  /// As with_producer(), if no other thread has it at this moment.
  template <class Use>
  [[nodiscard]] bool try_with_producer(Use&& use) {
    const std::unique_lock<std::mutex> held(mutex_, std::try_to_lock);
    if (held.owns_lock()) std::forward<Use>(use)(producer_);
    return held.owns_lock();
  }

  /// Whether publishing may wait for a consumer.
  bool may_wait() const noexcept { return may_wait_; }

 private:
  /// Takes the lock; clocks only a wait that happens, and adds it under the lock.
  std::unique_lock<std::mutex> acquire() noexcept {
    if (!owner_.is_here()) return {};  // who held it at the fork gives it back in the parent
    std::unique_lock<std::mutex> held(mutex_, std::try_to_lock);
    if (held.owns_lock()) return held;
    const auto begin = std::chrono::steady_clock::now();
    held.lock();
    const auto wait = std::chrono::steady_clock::now() - begin;
    producer_.add_lock_wait(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count()));
    return held;
  }

  std::mutex mutex_;
  ProcessMark owner_;
  BasicProducer<Layout> producer_;
  bool may_wait_;
};

/// Lets processes of this user, and of root, publish into the named `ring` by `producer`
/// (see LocalInjector), beside whoever else does.
///
/// @throws std::invalid_argument: the ring has no name, or `producer` would wait for a
///         slow consumer: then the thread that serves the ring would, and hear of nobody.
template <class Layout>
void accept_injected(LocalRing& ring, std::shared_ptr<SharedProducer<Layout>> producer) {
  if (producer->may_wait()) {
    throw std::invalid_argument(ring.name() + ": events of others need WhenFull::kRefuse");
  }
  ring.set_inject_handler([producer = std::move(producer)](const std::byte* from,
                                                           std::uint32_t event_count,
                                                           std::uint32_t event_bytes) {
    std::optional<LocalInjected> done;
    const bool had_time = producer->try_with_producer([&](BasicProducer<Layout>& into) {
      done = {0, into.next_sequence()};
      auto event = std::make_unique<BasicEvent<Layout>>();
      for (std::uint32_t i = 0; i < event_count; ++i, from += event_bytes) {
        std::uint32_t head[2];  // type, length_bytes
        std::memcpy(head, from, sizeof(head));
        std::memcpy(event->payload.data(), from + sizeof(head), event_bytes - sizeof(head));
        std::memset(event->payload.data() + head[1], 0, event->payload.size() - head[1]);
        if constexpr (requires { event->length_bytes; }) {
          event->type = head[0];
          event->length_bytes = head[1];
        }
        done->published_count += into.publish(*event) == PublishStatus::kPublished ? 1U : 0U;
      }
    });
    return had_time ? done : std::nullopt;
  });
}

}  // namespace evring
