// SPDX-License-Identifier: MIT
// evring's own rows.
#include <bench/measure/registry.hpp>
#include <bench/peers/evring_contender.hpp>
#include <bench/peers/group_contender.hpp>

namespace evring::bench {
namespace {

using peers::Access;
using peers::EvringBare;
using peers::EvringDefault;

template <std::size_t kPayload>
void register_payload(Registry& registry) {
  registry.push_back(contender<EvringBare<kPayload, Mode::kGated>>(
      "evring-gated", "local ring, gated, bare slots, copied", Origin::kEvring));
  registry.push_back(contender<EvringBare<kPayload, Mode::kGated, Access::kInPlace>>(
      "evring-gated-in-place", "local ring, gated, publish_from and visit_burst", Origin::kEvring));
  registry.push_back(contender<EvringBare<kPayload, Mode::kOverwrite>>(
      "evring-overwrite", "local ring, producer running free, bare slots", Origin::kEvring));
  registry.push_back(contender<peers::EvringGroup<kPayload>>(
      "evring-group", "local ring, gated, events shared out by a group", Origin::kEvring));
}

}  // namespace

void register_evring(Registry& registry) {
  register_payload<56>(registry);
  register_payload<16>(registry);
  registry.push_back(contender<EvringDefault<Mode::kGated>>(
      "evring-default", "local ring, gated, timestamp, type and length", Origin::kEvring));
  registry.push_back(contender<EvringDefault<Mode::kOverwrite>>(
      "evring-default-overwrite", "as evring-default, producer running free", Origin::kEvring));
}

}  // namespace evring::bench
