// SPDX-License-Identifier: MIT
// moodycamel's queues: ReaderWriterQueue, one per consumer; ConcurrentQueue, shared, with
// tokens and bulk calls. try_enqueue keeps both from allocating when full.
#include <bench/contenders/queue.hpp>
#include <bench/contenders/registry.hpp>

#include <concurrentqueue/concurrentqueue.h>
#include <readerwriterqueue/readerwriterqueue.h>

#include <array>

namespace evring::bench {
template <std::size_t kPayload>
class ConcurrentQueue {
 public:
  static constexpr std::size_t kPayloadBytes = kPayload;
  static constexpr Delivery kDelivery = Delivery::kShared;
  using Payload = Words<kPayload>;
  using Queue = moodycamel::ConcurrentQueue<Payload>;

  explicit ConcurrentQueue(const Case& one) : queue_(one.slot_count, 1, 0) {}

  class Producer {
   public:
    explicit Producer(ConcurrentQueue& queue) : queue_(queue.queue_), token_(queue_) {}

    template <class Source>
    std::size_t offer(std::uint64_t first, std::size_t count, Source& source) {
      if (count == 1) return queue_.try_enqueue(token_, source(first)) ? 1 : 0;
      return queue_.try_enqueue_bulk(token_, MadeWhenRead(source, first), count) ? count : 0;
    }

   private:
    Queue& queue_;
    moodycamel::ProducerToken token_;
  };

  class Consumer {
   public:
    Consumer(ConcurrentQueue& queue, unsigned) : queue_(queue.queue_), token_(queue_) {}

    template <class Sink>
    std::size_t take(std::size_t count, Sink& sink) {
      std::array<Payload, kBurstMax> events;
      if (count == 1) {
        if (!queue_.try_dequeue(token_, events[0])) return 0;
        sink(events[0]);
        return 1;
      }
      const std::size_t taken = queue_.try_dequeue_bulk(token_, events.data(), count);
      for (std::size_t i = 0; i < taken; ++i) sink(events[i]);
      return taken;
    }
    std::uint64_t lost() const noexcept { return 0; }

   private:
    Queue& queue_;
    moodycamel::ConsumerToken token_;
  };

 private:
  Queue queue_;
};

template <std::size_t kPayload>
using ReaderWriter = FanOut<OneByOne<moodycamel::ReaderWriterQueue<Words<kPayload>>>>;

void add_moodycamel(Registry& registry) {
  add<ReaderWriter>(registry, "moodycamel-rw", "moodycamel ReaderWriterQueue, one per consumer",
                    Origin::kPackaged);
  add<ConcurrentQueue>(registry, "moodycamel-concurrent",
                       "moodycamel ConcurrentQueue, tokens and bulk", Origin::kPackaged);
}

}  // namespace evring::bench
