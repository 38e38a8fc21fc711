// SPDX-License-Identifier: MIT
// What evring_guest_rig runs, in a guest with evring.ko, evring_list.ko and evring_kfifo.ko.
#include <bench/guest/kfifo.hpp>
#include <bench/guest/list.hpp>
#include <bench/guest/ring.hpp>

namespace evring::bench {

Record run_interrupt(const Case& one);  // interrupt.cpp

namespace {

template <class Driver>
Contender contender(const char* name, const char* what, Origin origin) {
  return {.name = name,
          .what = what,
          .origin = origin,
          .delivery = Driver::kBroadcast ? Delivery::kLossy : Delivery::kShared,
          .payload_bytes = kRacePayloadBytes,
          .loops = {{"race", race<Driver>}}};
}

}  // namespace

const std::vector<Loop>& all_loops() {
  static const std::vector<Loop> all{
      {"interrupt", "what an event costs in interrupt, or a local producer", run_interrupt}};
  return all;
}

const std::vector<Contender>& all_contenders() {
  static const std::vector<Contender> all{
      contender<RingDriver>("ring", "overwrites the oldest; each consumer counts what it lost",
                            Origin::kEvring),
      contender<ListDriver>("list", "a full list drops new events; counted for the device",
                            Origin::kBaseline),
      contender<KfifoDriver>("kfifo", "a full reader loses new events; counted for each",
                             Origin::kBaseline)};
  return all;
}

const std::vector<MissingPeer>& missing_peers() {
  static const std::vector<MissingPeer> none;
  return none;
}

}  // namespace evring::bench
