// SPDX-License-Identifier: MIT
// What is no peer: the mutex list, the kernel's ways, plain queues that mark the
// ceiling, and no queue at all.
#include <bench/measure/registry.hpp>
#include <bench/peers/bare_slots.hpp>
#include <bench/peers/kernel_contenders.hpp>
#include <bench/peers/mutex_list_contender.hpp>
#include <bench/peers/no_queue.hpp>
#include <bench/peers/plain_queues.hpp>

namespace evring::bench {
namespace {

using namespace peers;

template <std::size_t kPayload>
using List = FanOut<OneByOne<MutexList<kPayload>>>;
template <std::size_t kPayload>
using ListBurst = FanOut<ByBurst<MutexList<kPayload>>>;
template <std::size_t kPayload>
using ListShared = ShareOut<OneByOne<MutexList<kPayload>>>;
template <std::size_t kPayload>
using Pipes = FanOut<ByBurst<Pipe<kPayload>>>;
template <std::size_t kPayload>
using Eventfds = FanOut<ByBurst<EventfdQueue<kPayload>>>;

template <std::size_t kPayload>
using PlainPacked = FanOut<PlainIndexLane<kPayload, 8, 0, 0>>;
template <std::size_t kPayload>
using PlainLines = FanOut<PlainIndexLane<kPayload, (kPayload <= 24 ? 32 : 64), 4, 0>>;
template <std::size_t kPayload>
using PlainPatient = FanOut<PlainIndexLane<kPayload, (kPayload <= 24 ? 32 : 64), 4, 64>>;
template <std::size_t kPayload>
using PlainNullSlot = FanOut<PlainNullSlotLane<kPayload>>;

/// `Queue` between the threads of no throughput run.
template <class Queue>
Contender without_throughput(std::string name, std::string what) {
  Contender row = contender<Queue>(std::move(name), std::move(what), Origin::kNone);
  row.two_threads = false;
  row.throughput = nullptr;
  return row;
}

template <std::size_t kPayload>
void register_nothing(Registry& registry) {
  registry.push_back({.name = "no-queue",
                      .what = "fill and check, nothing between",
                      .origin = Origin::kNone,
                      .delivery = NoQueue<kPayload>::kDelivery,
                      .payload_bytes = kPayload,
                      .two_threads = false,
                      .same_thread = run_same_thread<NoQueue<kPayload>>});
  registry.push_back(without_throughput<BareSlots<kPayload>>(
      "bare-slots", "stamped lines and no more: what a payload in a line costs"));
}

}  // namespace

void register_baselines(Registry& registry) {
  add<List>(registry, "mutex-list", "mutex + list, an event a call, one list per consumer",
            Origin::kBaseline);
  add<ListBurst>(registry, "mutex-list-burst", "as mutex-list, a burst under one lock",
                 Origin::kBaseline);
  add<ListShared>(registry, "mutex-list-shared", "mutex + list, events shared out",
                  Origin::kBaseline);
  add<Pipes>(registry, "pipe", "pipe, one per consumer", Origin::kKernel);
  add<Eventfds>(registry, "eventfd", "spsc_queue announced by eventfd, one per consumer",
                Origin::kKernel);
  add<PlainPacked>(registry, "plain-packed", "two cached indices, slots side by side, no stamps",
                   Origin::kBaseline);
  add<PlainLines>(registry, "plain-lines",
                  "two cached indices, a line a slot, room given back by quarters, no stamps",
                  Origin::kBaseline);
  add<PlainPatient>(registry, "plain-patient",
                    "as plain-lines, with a consumer that waits for more to read",
                    Origin::kBaseline);
  add<PlainNullSlot>(registry, "plain-null-slot", "a full/empty word a slot, no indices shared",
                     Origin::kBaseline);
  register_nothing<56>(registry);
  register_nothing<16>(registry);
}

}  // namespace evring::bench
