// SPDX-License-Identifier: MIT
// evring's own rows.
#include <bench/contenders/evring.hpp>
#include <bench/contenders/registry.hpp>
#include <bench/contenders/single_calls.hpp>

namespace evring::bench {
namespace {

template <std::size_t kPayload>
using Gated = EvringBare<kPayload, Mode::kGated>;
template <std::size_t kPayload>
using GatedInPlace = EvringBare<kPayload, Mode::kGated, Access::kWords>;
template <std::size_t kPayload>
using GatedPlain = EvringBare<kPayload, Mode::kGated, Access::kPlain>;
template <std::size_t kPayload>
using OverwritePlain = EvringBare<kPayload, Mode::kOverwrite, Access::kPlain>;
template <std::size_t kPayload>
using PackedPlain = EvringPacked<kPayload, Mode::kGated>;
template <std::size_t kPayload>
using OverwritePackedPlain = EvringPacked<kPayload, Mode::kOverwrite>;

/// A ring that nobody waits for has loops of single calls as well.
template <class Queue>
void add_overwriting(Registry& registry, const char* name, const char* what) {
  Contender each = row<Queue>(name, what, Origin::kEvring);
  each.loops["publish"] = single_publish<Queue>;
  each.loops["read"] = single_read<Queue>;
  registry.push_back(each);
}

}  // namespace

void add_evring(Registry& registry) {
  const Origin ours = Origin::kEvring;
  add<Gated>(registry, "evring-gated", "local ring, gated, bare slots, copied", ours);
  add<GatedInPlace>(registry, "evring-gated-in-place",
                    "local ring, gated, publish_from and visit_burst", ours);
  add<GatedPlain>(registry, "evring-gated-plain",
                  "local ring, gated, publish_in_place and visit_payloads", ours);
  add<PackedPlain>(registry, "evring-packed-plain",
                   "as evring-gated-plain, in packed slots, which have no stamp", ours);
  add<OverwritePackedPlain>(registry, "evring-packed-overwrite-plain",
                            "as evring-packed-plain, producer running free", ours);
  add<OverwritePlain>(registry, "evring-overwrite-plain",
                      "as evring-gated-plain, producer running free", ours);
  const char* what = "local ring, producer running free, bare slots";
  add_overwriting<EvringBare<56, Mode::kOverwrite>>(registry, "evring-overwrite", what);
  add_overwriting<EvringBare<16, Mode::kOverwrite>>(registry, "evring-overwrite", what);
  add<EvringGroup>(registry, "evring-group", "local ring, gated, events shared out by a group",
                   ours);
  registry.push_back(row<EvringDefault<Mode::kGated>>(
      "evring-default", "local ring, gated, timestamp, type and length", ours));
  add_overwriting<EvringDefault<Mode::kOverwrite>>(registry, "evring-default-overwrite",
                                                   "as evring-default, producer running free");
}

}  // namespace evring::bench
