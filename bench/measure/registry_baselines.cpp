// SPDX-License-Identifier: MIT
// The mutex list, and no queue at all.
#include <bench/measure/registry.hpp>
#include <bench/peers/bare_slots.hpp>
#include <bench/peers/mutex_list_contender.hpp>
#include <bench/peers/no_queue.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  using PerEvent = peers::MutexListLane<kPayload, peers::Locking::kPerEvent>;
  using PerBurst = peers::MutexListLane<kPayload, peers::Locking::kPerBurst>;
  registry.push_back(contender<peers::FanOut<PerEvent>>(
      "mutex-list", "mutex + list, an event a call, one list per consumer", Origin::kBaseline));
  registry.push_back(contender<peers::FanOut<PerBurst>>(
      "mutex-list-burst", "as mutex-list, a burst under one lock", Origin::kBaseline));
  registry.push_back(contender<peers::ShareOut<PerEvent>>(
      "mutex-list-shared", "mutex + list, events shared out", Origin::kBaseline));
  using Nothing = peers::NoQueue<kPayload>;
  registry.push_back({.name = "no-queue",
                      .what = "fill and check, nothing between",
                      .origin = Origin::kNone,
                      .delivery = Nothing::kDelivery,
                      .payload_bytes = kPayload,
                      .two_threads = false,
                      .same_thread = run_same_thread<Nothing>});
  using Slots = peers::BareSlots<kPayload>;
  registry.push_back({.name = "bare-slots",
                      .what = "stamped lines and no more: what a payload in a line costs",
                      .origin = Origin::kNone,
                      .delivery = Slots::kDelivery,
                      .payload_bytes = kPayload,
                      .two_threads = false,
                      .same_thread = run_same_thread<Slots>,
                      .ping_pong = run_ping_pong<Slots>,
                      .latency = run_latency<Slots>});
}

}  // namespace

void register_baselines(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
}

}  // namespace evring::bench
