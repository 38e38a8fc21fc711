// SPDX-License-Identifier: MIT
#include "cli/local_server.hpp"

#include <bit>
#include <evring/memory.hpp>

#include "tool/kernel_access.hpp"

namespace evring::cli {

LocalServer::LocalServer(const std::string& name, const RingShape& shape)
    : ring_(make(name, shape)) {}

LocalRing LocalServer::make(const std::string& name, const RingShape& shape) {
  shape.check(RingKind::kLocal);
  LocalRingOptions options = shape.local_options(name);
  options.registered_count_max = EVRING_CONSUMER_COUNT_MAX;
  try {
    LocalRing ring = LocalRing::named(options, [this](LocalRing& made) {
      producer_ = std::make_shared<SharedProducer<AnySlotLayout>>(made, WhenFull::kRefuse);
      accept_injected(made, producer_);
    });
    warn_of_small_pages(ring, options.huge_pages);
    return ring;
  } catch (const std::system_error& error) {
    throw explain(fmt::format("local ring '{}'", name), error);
  } catch (const std::invalid_argument& error) {
    throw usage_error(fmt::format("local ring '{}'", name), error.what());
  }
}

void LocalServer::wait_for_consumers(unsigned count) const {
  while (ring_.registered_count() < count && !stop::sleep_for(std::chrono::milliseconds(5))) {
  }
}

bool LocalServer::has_room(const AnyProducer& by, std::uint64_t count) const noexcept {
  const ProducerSide& side = *ring_.producer_side();
  if (side.geometry.mode != Mode::kGated) return true;
  std::uint64_t registered = load_relaxed(&side.table->registered);
  for (; registered != 0; registered &= registered - 1) {
    const evring_consumer_page* page = side.pages[std::countr_zero(registered)];
    const std::uint64_t cursor =
        load_relaxed(reinterpret_cast<const std::uint64_t*>(&page->cursor));
    if (by.next_sequence() + count - cursor > side.geometry.slot_count) return false;
  }
  return true;
}

void LocalServer::refresh_status() {
  producer_->with_producer([](AnyProducer& by) { by.refresh_status(); });
}

void LocalServer::print_balance(bool json) const {
  producer_->with_producer([&](const AnyProducer& by) {
    const std::string name = "local:" + ring_.name();
    if (json) {
      print_json({{"name", name},
                  {"offered", by.offered()},
                  {"published", by.published()},
                  {"dropped", by.dropped()},
                  {"doorbells_rung", by.doorbells_rung()},
                  {"doorbells_suppressed", by.doorbells_suppressed()}});
      return;
    }
    print("{}: offered {}, published {}, dropped {}, doorbells {}\n", name, by.offered(),
          by.published(), by.dropped(), by.doorbells_rung());
  });
}

}  // namespace evring::cli
