// SPDX-License-Identifier: MIT
// LocalRing: the handle of the process that made a ring, and of its forks.
#include "local_ring_impl.hpp"

#include <bit>
#include <stdexcept>
#include <utility>

#include "evring/memory.hpp"
#include "registration.hpp"
#include "registration_table.hpp"

namespace evring {
namespace {

/// Tells every reader that nothing more will come, and wakes those that sleep.
void mark_gone(ProducerSide& side) noexcept {
  // (P8) What was published before gone, or who sees gone leaves that unread. Pairs with (C8).
  store_release(word_of(side.header->status.gone), EVRING_GONE_CLOSED);
  // (D5) Gone before the look at who is armed, or a sleeper that arms now is never woken:
  // it looks at gone after its barrier. Pairs with (D1).
  fence_full();
  std::uint64_t armed = fetch_and(word_of(side.doorbell->armed), EVRING_ARMED_FENCE);
  armed &= load_acquire(&side.table->registered);
  for (; armed != 0; armed &= armed - 1) {
    const int fd = side.doorbell_fds[static_cast<unsigned>(std::countr_zero(armed))];
    if (fd >= 0) signal_event(fd);
  }
}

}  // namespace

LocalRing::Impl::Impl(const LocalRingOptions& options)
    : memory(std::make_shared<LocalMemory>(options)),
      side(memory, &memory->side),
      mapping(Mapping::attach(memory->read_only_file.get(), memory->options.name)) {}

LocalRing::Impl::~Impl() {
  if (!owner.is_here()) {
    // The thread is the owner's, and may have been changing the lists when they were copied:
    // this copy is left alone, and with it the memory.
    static_cast<void>(server.release());
    return;
  }
  // Or the server publishes behind gone, and says that it has.
  if (server != nullptr) server->service().set_inject_handler({});
  mark_gone(*side);
}

LocalRing::LocalRing(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

LocalRing LocalRing::anonymous(LocalRingOptions options) {
  return LocalRing(std::make_shared<Impl>(options));
}

LocalRing LocalRing::named(LocalRingOptions options,
                           const std::function<void(LocalRing&)>& before_it_is_found) {
  LocalRing ring(std::make_shared<Impl>(options));
  Impl& impl = *ring.impl_;
  impl.server = std::make_unique<LocalServer>(impl.memory, impl.mapping);
  if (before_it_is_found) before_it_is_found(ring);
  impl.server->open();
  return ring;
}

Mapping LocalRing::mapping() const { return impl_->mapping; }
int LocalRing::read_only_fd() const noexcept { return impl_->memory->read_only_file.get(); }
const std::string& LocalRing::name() const noexcept { return impl_->memory->options.name; }
bool LocalRing::huge_pages() const noexcept { return impl_->memory->has_huge_pages; }

const std::shared_ptr<ProducerSide>& LocalRing::producer_side() const noexcept {
  return impl_->side;
}

void LocalRing::set_inject_handler(InjectHandler handler) {
  if (impl_->server == nullptr) {
    throw std::invalid_argument(name() + ": events of others come by the socket of a named ring");
  }
  impl_->server->service().set_inject_handler(std::move(handler));
}

unsigned LocalRing::registered_count() const noexcept {
  return static_cast<unsigned>(std::popcount(load_relaxed(&impl_->side->table->registered)));
}

Registration LocalRing::register_consumer(StartAt start_at, std::uint64_t sequence) {
  LocalMemory& memory = *impl_->memory;
  auto inside = std::make_unique<Registration::Impl>();
  inside->seat =
      take_seat(memory.side, memory.options.registered_count_max, start_at, sequence, name());
  inside->memory = impl_->memory;  // from here on its end gives the seat back
  const unsigned index = inside->seat.index;
  inside->index = index;
  inside->sequence = inside->seat.sequence;
  inside->slot_count = memory.side.geometry.slot_count;
  inside->header = memory.side.header;
  inside->page = memory.side.pages[index];
  inside->doorbell = memory.side.doorbell;
  inside->open_doorbell(memory.seats[index].doorbell.get(), name());
  inside->timer_fd = memory.side.timer_fds[index];
  return Registration(std::move(inside));
}

}  // namespace evring
