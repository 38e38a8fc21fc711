// SPDX-License-Identifier: MIT
// The memory of a group, who has joined, and who is dead: a member holds the lease of
// its byte of the file.
// Ordering: letters M3 to M8 and M10, explained in ring/PROTOCOL.md, "Groups".
#include "evring/group.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "local_memory.hpp"
#include "local_socket.hpp"
#include "registration_table.hpp"
#include "start_at.hpp"
#include "system.hpp"

namespace evring {
namespace {

constexpr unsigned kMemberCount = EVRING_GROUP_MEMBER_COUNT_MAX;

void check(bool holds, const std::string& name, const std::string& what) {
  if (!holds) throw_errno(name + ": group: " + what, EPROTO);
}

std::string differs(const char* field, std::uint64_t found, std::uint64_t expected) {
  return std::string(field) + " is " + std::to_string(found) + ", expected " +
         std::to_string(expected);
}

}  // namespace

/// The registration of a group in a gated ring, which forked processes share.
struct GroupSeat {
  std::shared_ptr<ProducerSide> side;
  Seat seat;

  GroupSeat(std::shared_ptr<ProducerSide> from, Seat&& taken) noexcept
      : side(std::move(from)), seat(std::move(taken)) {}
  GroupSeat(const GroupSeat&) = delete;
  GroupSeat& operator=(const GroupSeat&) = delete;
  ~GroupSeat() { leave_seat(*side, seat); }
};

struct Group::Impl {
  Impl(const Mapping& ring, FileDescriptor memory_file)
      : mapping(ring),
        file(std::move(memory_file)),
        pages(file.get(), sizeof(evring_group_page), PROT_READ | PROT_WRITE,
              ring.name() + ": group") {}

  evring_group_page& page() const noexcept { return *pages.as<evring_group_page>(); }
  void write_page(std::uint64_t first_claim);
  void check_page();
  void set_gate(evring_consumer_page* consumer_page);
  std::shared_ptr<const GroupSeat> own_seat() const;

  Mapping mapping;
  FileDescriptor file;
  SharedPages pages;
  std::uint64_t start = 0;
  std::uint64_t* gate = nullptr;
  std::shared_ptr<const GroupSeat> seat;  ///< after create(LocalRing&), in a gated ring
  ProcessMark mark;

  /// After attach_local().
  SharedPages gate_page;
  FileDescriptor owner;
};

void Group::Impl::write_page(std::uint64_t first_claim) {
  evring_group_page& fresh = page();
  fresh.layout_major = EVRING_LAYOUT_MAJOR;
  fresh.layout_minor = EVRING_LAYOUT_MINOR;
  fresh.page_bytes = sizeof(evring_group_page);
  fresh.slot_count = mapping.geometry().slot_count;
  fresh.first_sequence = mapping.geometry().first_sequence;
  fresh.start = start = first_claim;
  for (__u64& confirmed : fresh.confirmed) store_relaxed(group_word(confirmed), first_claim);
  store_relaxed(group_word(fresh.claim), GroupClaim::word(first_claim, EVRING_GROUP_NOBODY));
  fresh.magic = EVRING_GROUP_MAGIC;
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    throw_errno(mapping.name() + ": group: sealing its memory file");
  }
}

void Group::Impl::check_page() {
  const evring_group_page& found = page();
  const std::string& name = mapping.name();
  const Geometry& ring = mapping.geometry();
  check(found.magic == EVRING_GROUP_MAGIC, name, "no group page");
  check(found.layout_major == EVRING_LAYOUT_MAJOR, name,
        differs("layout_major", found.layout_major, EVRING_LAYOUT_MAJOR));
  check(found.page_bytes == sizeof(evring_group_page), name,
        differs("page_bytes", found.page_bytes, sizeof(evring_group_page)));
  check(found.slot_count == ring.slot_count, name,
        differs("slot_count", found.slot_count, ring.slot_count));
  check(found.first_sequence == ring.first_sequence, name,
        differs("first_sequence", found.first_sequence, ring.first_sequence));
  start = found.start;
}

void Group::Impl::set_gate(evring_consumer_page* consumer_page) {
  if (mapping.geometry().mode != Mode::kGated) return;
  if (consumer_page == nullptr) {
    throw std::invalid_argument(mapping.name() +
                                ": a gated ring: its group needs the page of a registered cursor");
  }
  gate = word_of(consumer_page->cursor);
}

/// For as long as a process moves the gate it needs a share of it: the seat of one that has
/// ended is given out again, and its cursor would be somebody else's.
std::shared_ptr<const GroupSeat> Group::Impl::own_seat() const {
  if (gate == nullptr || mark.is_here()) return seat;
  const std::string what = mapping.name() + ": group";
  if (owner) throw_errno(what + ": a forked child attaches by itself", EOWNERDEAD);
  if (seat == nullptr) return nullptr;
  return std::make_shared<GroupSeat>(seat->side, share_seat(*seat->side, seat->seat, what));
}

Group::Group(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Group Group::create(LocalRing& ring, StartAt start_at, std::uint64_t sequence) {
  const Mapping mapping = ring.mapping();
  if (mapping.geometry().mode != Mode::kGated) return create(mapping, start_at, sequence);
  const std::shared_ptr<ProducerSide>& side = ring.producer_side();
  const auto seat_count = side->pages.size() - std::ranges::count(side->pages, nullptr);
  const auto seat = std::make_shared<GroupSeat>(
      side, take_seat(*side, static_cast<unsigned>(seat_count), start_at, sequence, ring.name()));
  if (!seat->seat.lease.share(seat->seat.index)) throw_errno(ring.name() + ": sharing a lease");
  Group group =
      create(mapping, StartAt::kSequence, seat->seat.sequence, side->pages[seat->seat.index]);
  group.impl_->seat = seat;
  return group;
}

Group Group::create(const Mapping& mapping, StartAt start_at, std::uint64_t sequence,
                    evring_consumer_page* gate) {
  const std::uint64_t start = AnyConsumer(mapping, start_at, sequence).start();
  auto impl = std::make_shared<Impl>(
      mapping, make_memory_file(mapping.name() + ".group", sizeof(evring_group_page)));
  impl->set_gate(gate);
  impl->write_page(start);
  return Group(std::move(impl));
}

Group Group::attach(int fd, const Mapping& mapping, evring_consumer_page* gate) {
  const std::string what = mapping.name() + ": group";
  const int seals = ::fcntl(fd, F_GET_SEALS);
  check(seals >= 0 && (seals & F_SEAL_SHRINK) != 0, mapping.name(), "the file is not sealed");
  struct stat found {};
  if (::fstat(fd, &found) != 0) throw_errno(what);
  check(found.st_size == sizeof(evring_group_page), mapping.name(),
        differs("the file's length", static_cast<std::uint64_t>(found.st_size),
                sizeof(evring_group_page)));
  FileDescriptor file(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!file) throw_errno(what);
  auto impl = std::make_shared<Impl>(mapping, std::move(file));
  impl->check_page();
  impl->set_gate(gate);
  return Group(std::move(impl));
}

Group Group::attach_local(const std::string& ring, const std::string& name, StartAt start_at,
                          std::uint64_t sequence) {
  GroupRequest request;
  request.attach.flags = kWantsGroup;
  request.attach.start_at = to_abi(start_at);
  request.attach.sequence = sequence;
  if (!is_ring_name(name)) {
    throw_errno('"' + name + "\": a group's name is " + kRingNameRule, EINVAL);
  }
  std::memcpy(request.group.data(), name.data(), name.size());
  OwnerLink link = ask_owner(ring, request);
  const bool is_gated = link.mapping.geometry().mode == Mode::kGated;
  const auto& files = link.answer.descriptors;
  check(link.answer.reply.descriptor_count == (is_gated ? 3U : 2U), ring,
        "its answer is not whole");
  SharedPages gate_page;
  if (is_gated) gate_page = map_sealed_page(files[2], ring + ": group: the page of its cursor");
  Group group = attach(files[1].get(), link.mapping, gate_page.as<evring_consumer_page>());
  group.impl_->gate_page = std::move(gate_page);
  group.impl_->owner = std::move(link.socket);
  return group;
}

int Group::owner_fd() const noexcept { return impl_->owner ? impl_->owner.get() : -1; }

int Group::fd() const noexcept { return impl_->file.get(); }
const Mapping& Group::mapping() const noexcept { return impl_->mapping; }
evring_group_page& Group::page() const noexcept { return impl_->page(); }
std::uint64_t* Group::gate() const noexcept { return impl_->gate; }
std::uint64_t Group::start() const noexcept { return impl_->start; }

std::uint64_t Group::claim() const noexcept {
  // (C3) as in BasicConsumer::head(): a sequence near the claim.
  const std::uint64_t head = load_acquire(group_word(impl_->mapping.header()->head));
  return GroupClaim::sequence(load_relaxed(group_word(page().claim)), head);
}

std::optional<GroupBalance> Group::balance(unsigned attempt_count) const noexcept {
  evring_group_page& shared = page();
  for (unsigned attempt = 0; attempt < attempt_count; ++attempt) {
    // (M6) as in advance_group_gate().
    const std::uint64_t claim_word = load_acquire(group_word(shared.claim));
    GroupBalance sum{.start = start(), .claim = GroupClaim::sequence(claim_word, claim())};
    sum.member_count =
        static_cast<unsigned>(std::popcount(load_relaxed(group_word(shared.joined))));
    std::array<std::uint64_t, kMemberCount> rounds{};
    bool is_quiet = true;
    for (unsigned i = 0; i < kMemberCount && is_quiet; ++i) {
      rounds[i] = load_relaxed(group_word(shared.member[i].round));
      const std::optional<GroupEntry> entry = read_group_entry(shared.member[i]);
      is_quiet = entry.has_value();
      if (!is_quiet) break;
      sum.received += entry->received;
      sum.lost += entry->lost;
      if (group_entry_holds(shared, i, *entry, claim_word)) sum.held += entry->to - entry->from;
    }
    // (M4) as in read_group_entry(), for all records and the claim at once.
    fence_acquire();
    for (unsigned i = 0; i < kMemberCount && is_quiet; ++i) {
      is_quiet = load_relaxed(group_word(shared.member[i].round)) == rounds[i];
    }
    if (is_quiet && load_relaxed(group_word(shared.claim)) == claim_word) return sum;
    cpu_relax();
  }
  return std::nullopt;
}

unsigned Group::dead_count() const {
  const Lease look = own_description();
  unsigned count = 0;
  for (unsigned i = 0; i < kMemberCount; ++i) {
    const bool is_joined = (load_relaxed(group_word(page().joined)) >> i & 1) != 0;
    if (is_joined && !look.is_taken(i)) ++count;
  }
  return count;
}

Lease Group::own_description() const { return {fd(), impl_->mapping.name() + ": group"}; }

GroupPlace Group::join() const {
  GroupPlace place{.index = 0, .lock = own_description(), .seat = impl_->own_seat()};
  for (unsigned i = 0; i < kMemberCount; ++i) {
    if (!place.lock.take(i)) continue;
    place.index = i;
    const bool is_free = (load_relaxed(group_word(page().joined)) >> i & 1) == 0;
    const GroupEntry left = held_by(i);
    if (is_free || left.from == left.to) {
      // (M10) Joined before the first claim, or the gate passes what that claim holds.
      // Pairs with (M8).
      fetch_or(group_word(page().joined), 1ULL << i);
      return place;
    }
    place.lock.give_back(i);
  }
  throw_errno(impl_->mapping.name() + ": group: all " + std::to_string(kMemberCount) +
                  " records are taken, " + std::to_string(dead_count()) +
                  " of them by dead members that can be recovered",
              ENOSPC);
}

std::optional<GroupPlace> Group::take_dead() const {
  GroupPlace place{.index = 0, .lock = own_description(), .seat = impl_->own_seat()};
  for (unsigned i = 0; i < kMemberCount; ++i) {
    const auto is_joined = [&] { return (load_relaxed(group_word(page().joined)) >> i & 1) != 0; };
    if (!is_joined() || !place.lock.take(i)) continue;
    place.index = i;
    const GroupEntry left = held_by(i);
    if (is_joined() && left.from != left.to) return place;
    if (is_joined()) leave(place);
    place.lock.give_back(i);
  }
  return std::nullopt;
}

void Group::leave(const GroupPlace& place) const noexcept {
  // (M7) What it was done with before its absence, or the gate forgets what it still
  // reads. Pairs with (M8).
  fetch_and(group_word(page().joined), ~(1ULL << place.index));
  place.lock.give_back(place.index);
}

GroupEntry Group::held_by(unsigned index) const noexcept {
  evring_group_page& shared = page();
  // (M6) as in advance_group_gate().
  const std::uint64_t claim_word = load_acquire(group_word(shared.claim));
  GroupEntry entry = read_group_entry(shared.member[index]).value_or(GroupEntry{});
  if (!group_entry_holds(shared, index, entry, claim_word)) entry.from = entry.to;
  return entry;
}

}  // namespace evring
