// SPDX-License-Identifier: MIT
#include "cli/local_server.hpp"

#include <bit>
#include <evring/memory.hpp>

#include "tool/kernel_access.hpp"

namespace evring::cli {

LocalServer::LocalServer(const std::string& name, const RingShape& shape)
    : ring_(make(name, shape)), producer_(ring_, WhenFull::kRefuse) {}

LocalRing LocalServer::make(const std::string& name, const RingShape& shape) {
  shape.check();
  LocalRingOptions options = shape.local_options(name);
  options.registered_count_max = EVRING_CONSUMER_COUNT_MAX;
  try {
    LocalRing ring = LocalRing::named(options);
    warn_of_small_pages(ring, options.huge_pages);
    return ring;
  } catch (const std::system_error& error) {
    throw explain(fmt::format("local ring '{}'", name), error);
  } catch (const std::invalid_argument& error) {
    throw usage_error(fmt::format("local ring '{}'", name), error.what());
  }
}

unsigned LocalServer::registered_count() const noexcept {
  const std::uint64_t registered = load_relaxed(&ring_.producer_side()->table->registered);
  return static_cast<unsigned>(std::popcount(registered));
}

void LocalServer::wait_for_consumers(unsigned count) const {
  while (registered_count() < count && !stop::sleep_for(std::chrono::milliseconds(5))) {
  }
}

bool LocalServer::wait_for_room(std::uint64_t count) const {
  const ProducerSide& side = *ring_.producer_side();
  const auto has_room = [&] {
    std::uint64_t registered = load_relaxed(&side.table->registered);
    for (; registered != 0; registered &= registered - 1) {
      const evring_consumer_page* page = side.pages[std::countr_zero(registered)];
      const std::uint64_t cursor =
          load_relaxed(reinterpret_cast<const std::uint64_t*>(&page->cursor));
      if (producer_.next_sequence() + count - cursor > side.geometry.slot_count) return false;
    }
    return true;
  };
  if (side.geometry.mode != Mode::kGated) return !stop::requested();
  while (!has_room()) {
    if (stop::sleep_for(std::chrono::microseconds(200))) return false;
  }
  return !stop::requested();
}

void LocalServer::print_balance(bool json) const {
  const std::string name = "local:" + ring_.name();
  if (json) {
    print_json({{"name", name},
                {"offered", producer_.offered()},
                {"published", producer_.published()},
                {"dropped", producer_.dropped()},
                {"doorbells_rung", producer_.doorbells_rung()},
                {"doorbells_suppressed", producer_.doorbells_suppressed()}});
    return;
  }
  print("{}: offered {}, published {}, dropped {}, doorbells {}\n", name, producer_.offered(),
        producer_.published(), producer_.dropped(), producer_.doorbells_rung());
}

}  // namespace evring::cli
