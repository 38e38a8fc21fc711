// SPDX-License-Identifier: MIT
// evring's own rows.
#include <bench/contenders/evring.hpp>
#include <bench/contenders/registry.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
using Gated = EvringBare<kPayload, Mode::kGated>;
template <std::size_t kPayload>
using GatedInPlace = EvringBare<kPayload, Mode::kGated, Access::kInPlace>;
template <std::size_t kPayload>
using Overwrite = EvringBare<kPayload, Mode::kOverwrite>;

}  // namespace

void add_evring(Registry& registry) {
  const Origin ours = Origin::kEvring;
  add<Gated>(registry, "evring-gated", "local ring, gated, bare slots, copied", ours);
  add<GatedInPlace>(registry, "evring-gated-in-place",
                    "local ring, gated, publish_from and visit_burst", ours);
  add<Overwrite>(registry, "evring-overwrite", "local ring, producer running free, bare slots",
                 ours);
  add<EvringGroup>(registry, "evring-group", "local ring, gated, events shared out by a group",
                   ours);
  registry.push_back(row<EvringDefault<Mode::kGated>>(
      "evring-default", "local ring, gated, timestamp, type and length", ours));
  registry.push_back(row<EvringDefault<Mode::kOverwrite>>(
      "evring-default-overwrite", "as evring-default, producer running free", ours));
}

}  // namespace evring::bench
