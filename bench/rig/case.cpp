// SPDX-License-Identifier: MIT
// Finding what a case names, and saying what there is to be named.
#include <bench/rig/case.hpp>
#include <bench/rig/threads.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

namespace evring::bench {
namespace {

const char* word_for(Delivery delivery) noexcept {
  if (delivery == Delivery::kShared) return "shared";
  return delivery == Delivery::kLossy ? "lossy" : "each";
}

const char* word_for(Origin origin) noexcept {
  constexpr const char* kWords[] = {"evring", "packaged", "baseline", "protocol", "kernel", "none"};
  return kWords[static_cast<unsigned>(origin)];
}

const char* compiler() noexcept {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

}  // namespace

const Contender& find_contender(std::string_view name, std::size_t payload_bytes) {
  std::vector<std::string> known;
  for (const Contender& each : all_contenders()) {
    if (each.name == name && each.payload_bytes == payload_bytes) return each;
    known.push_back(fmt::format("{}/{}", each.name, each.payload_bytes));
  }
  throw std::invalid_argument(
      fmt::format("no contender {} with a payload of {} bytes; there are {}", name, payload_bytes,
                  fmt::join(known, ", ")));
}

Record run_case(const Case& one) {
  for (const Loop& loop : all_loops()) {
    if (loop.name == one.loop) return loop.run(one);
  }
  if (one.contender.empty()) throw std::invalid_argument("no loop " + one.loop);
  const Contender& found = find_contender(one.contender, one.payload_bytes);
  const auto loop = found.loops.find(one.loop);
  if (loop == found.loops.end()) {
    throw std::invalid_argument(one.contender + " has no loop " + one.loop);
  }
  return loop->second(one);
}

Record listing() {
  const Placement placement;
  Record list = {{"contenders", Record::array()},
                 {"loops", Record::array()},
                 {"missing", Record::array()},
                 {"compiler", compiler()},
                 {"allowed_cpus", placement.cpus}};
  for (const Contender& each : all_contenders()) {
    Record loops = Record::array();
    for (const auto& [name, run] : each.loops) loops.push_back(name);
    list["contenders"].push_back({{"name", each.name},
                                  {"what", each.what},
                                  {"origin", word_for(each.origin)},
                                  {"delivery", word_for(each.delivery)},
                                  {"payload_bytes", each.payload_bytes},
                                  {"loops", loops}});
  }
  for (const Loop& each : all_loops()) {
    list["loops"].push_back({{"name", each.name}, {"what", each.what}});
  }
  for (const MissingPeer& peer : missing_peers()) {
    list["missing"].push_back({{"name", peer.name}, {"package", peer.package}});
  }
  return list;
}

}  // namespace evring::bench
