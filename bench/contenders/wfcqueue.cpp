// SPDX-License-Identifier: MIT
// liburcu's wfcqueue: wait-free enqueue, one consumer per queue. Its nodes lie in an array
// that is used round and round, the kindest case for a linked queue: nothing is allocated
// while it runs.
#include <bench/contenders/queue.hpp>
#include <bench/contenders/registry.hpp>

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE  // inline the fast paths
#endif
#include <urcu/wfcqueue.h>

#include <atomic>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
class WfcQueueLane {
 public:
  using Payload = Words<kPayload>;

  explicit WfcQueueLane(std::size_t slot_count) : mask_(slot_count - 1), nodes_(slot_count) {
    __cds_wfcq_init(&head_, &tail_);
  }

  template <class Source>
  std::size_t push(std::uint64_t first, std::size_t count, Source& source) {
    if (pushed_ + count - popped_seen_ > nodes_.size()) {
      popped_seen_ = popped_.load(std::memory_order_acquire);
      if (pushed_ + count - popped_seen_ > nodes_.size()) return 0;
    }
    for (std::size_t i = 0; i < count; ++i) {
      Node& node = nodes_[pushed_++ & mask_];
      node.payload = source(first + i);
      cds_wfcq_node_init(&node.link);
      cds_wfcq_enqueue(head(), &tail_, &node.link);
    }
    return count;
  }

  template <class Sink>
  std::size_t pop(std::size_t count, Sink& sink) {
    std::size_t done = 0;
    for (; done < count; ++done) {
      cds_wfcq_node* link = __cds_wfcq_dequeue_nonblocking(head(), &tail_);
      if (link == nullptr || link == CDS_WFCQ_WOULDBLOCK) break;
      sink(reinterpret_cast<const Node*>(link)->payload);
    }
    if (done != 0) {
      popped_.store(popped_.load(std::memory_order_relaxed) + done, std::memory_order_release);
    }
    return done;
  }

 private:
  struct Node {
    cds_wfcq_node link;  // first, so that a link is its node
    Payload payload;
  };

  /// C calls take either kind of head; C++ has to say which.
  cds_wfcq_head_ptr_t head() noexcept {
    cds_wfcq_head_ptr_t either;
    either._h = &head_;
    return either;
  }

  const std::uint64_t mask_;
  std::vector<Node> nodes_;
  std::uint64_t pushed_ = 0;       // the producer's
  std::uint64_t popped_seen_ = 0;  // the producer's
  alignas(2 * kLineBytes) cds_wfcq_tail tail_;
  alignas(2 * kLineBytes) __cds_wfcq_head head_;
  alignas(2 * kLineBytes) std::atomic<std::uint64_t> popped_{0};
};

template <std::size_t kPayload>
using WfcQueue = FanOut<WfcQueueLane<kPayload>>;

}  // namespace

void add_wfcqueue(Registry& registry) {
  add<WfcQueue>(registry, "wfcqueue", "liburcu wfcqueue, one per consumer", Origin::kPackaged);
}

}  // namespace evring::bench
