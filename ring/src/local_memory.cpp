// SPDX-License-Identifier: MIT
// See local_memory.hpp. The order matters: map for writing, fill, then seal, so
// that no other writable mapping can ever be made; magic is stored last.
#include "local_memory.hpp"

#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "evring/memory.hpp"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace evring {
namespace {

constexpr std::uint64_t kHugePageBytes = 2U << 20;

std::uint64_t round_up(std::uint64_t bytes, std::uint64_t to) { return (bytes + to - 1) / to * to; }

bool is_power_of_two(std::uint64_t value, std::uint64_t low, std::uint64_t high) noexcept {
  return value >= low && value <= high && (value & (value - 1)) == 0;
}

[[noreturn]] void refuse(const std::string& option, const std::string& found,
                         const std::string& expected) {
  throw std::invalid_argument("local ring: " + option + " is " + found + ", expected " + expected);
}

std::uint64_t bytes_wanted(const LocalRingOptions& options) {
  return EVRING_HEADER_BYTES + options.slot_count * options.slot.slot_bytes();
}

void check_options(const LocalRingOptions& options) {
  if (!is_ring_name(options.name)) refuse("name", '"' + options.name + '"', kRingNameRule);
  if (!is_power_of_two(options.slot_count, EVRING_SLOT_COUNT_MIN, EVRING_SLOT_COUNT_MAX)) {
    refuse("slot_count", std::to_string(options.slot_count), "a power of two from 2 to 16777216");
  }
  if (options.slot.format() > SlotFormat::kPacked) {
    refuse("slot_format", std::to_string(static_cast<unsigned>(options.slot.format())), "0 to 3");
  }
  const std::uint32_t slot_bytes_least = slot_bytes_min(options.slot.format());
  if (!is_power_of_two(options.slot.slot_bytes(), slot_bytes_least, EVRING_SLOT_BYTES_MAX)) {
    refuse("slot_bytes", std::to_string(options.slot.slot_bytes()),
           "a power of two from " + std::to_string(slot_bytes_least) + " to 4096");
  }
  if (options.mode > Mode::kGated) {
    refuse("mode", std::to_string(static_cast<unsigned>(options.mode)), "overwrite or gated");
  }
  if (options.registered_count_max < 1 ||
      options.registered_count_max > EVRING_CONSUMER_COUNT_MAX) {
    refuse("registered_count_max", std::to_string(options.registered_count_max), "1 to 63");
  }
  if (bytes_wanted(options) > EVRING_MAPPING_BYTES_MAX) {
    refuse("slot_count x slot_bytes",
           std::to_string(options.slot_count) + " x " + std::to_string(options.slot.slot_bytes()),
           "at most " + std::to_string(EVRING_MAPPING_BYTES_MAX) + " bytes with the header");
  }
}

void read_boot_id(std::uint8_t (&id)[16]) {
  const FileDescriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[37] = {};
  if (!file || ::read(file.get(), text, 36) != 36) return;  // no /proc: it stays zero
  std::size_t at = 0;
  for (auto& byte : id) {
    if (text[at] == '-') ++at;
    unsigned value = 0;
    if (std::sscanf(text + at, "%2x", &value) != 1) return;
    byte = static_cast<std::uint8_t>(value);
    at += 2;
  }
}

/// The same file with rights to read only. Without /proc there is no way to ask for
/// that; the seal then still keeps everyone from mapping it for writing.
FileDescriptor open_read_only(int fd, const std::string& name) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) file = FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!file) throw_errno(name + ": dup of the memory file");
  return file;
}

}  // namespace

LocalMemory::LocalMemory(const LocalRingOptions& wanted) : options(wanted) {
  check_options(options);
  const std::uint64_t bytes = round_up(bytes_wanted(options), kPageBytes);
  const FileDescriptor file = make_ring_file(bytes);
  const std::uint64_t mapping_bytes = has_huge_pages ? round_up(bytes, kHugePageBytes) : bytes;
  if (has_stamp(options.slot.format())) {
    write_stamps();
  } else {
    touch_pages();
  }
  write_header(mapping_bytes);
  seal(file.get());
  doorbell_file = make_memory_file(options.name, kPageBytes);
  doorbell = SharedPages(doorbell_file.get(), kPageBytes, PROT_READ | PROT_WRITE, options.name);
  table = SharedPages(-1, kPageBytes, PROT_READ | PROT_WRITE, options.name);
  lease_file = make_memory_file(options.name, kPageBytes);
  make_seats();
  fill_side();
}

FileDescriptor LocalMemory::make_ring_file(std::uint64_t bytes) {
  const int protection = PROT_READ | PROT_WRITE;
  if (options.huge_pages) {
    const std::uint64_t huge_bytes = round_up(bytes, kHugePageBytes);
    try {
      FileDescriptor file = make_memory_file(options.name, huge_bytes, true);
      ring = SharedPages(file.get(), huge_bytes, protection, options.name);
      has_huge_pages = true;
      return file;
    } catch (const std::system_error&) {
      // None reserved on this machine: the ring works as well with small ones.
    }
  }
  FileDescriptor file = make_memory_file(options.name, bytes);
  ring = SharedPages(file.get(), bytes, protection, options.name);
  return file;
}

void LocalMemory::write_stamps() noexcept {
  const std::uint64_t mask = options.slot_count - 1;
  std::byte* slots = ring.bytes() + EVRING_HEADER_BYTES;
  for (std::uint64_t i = 0; i < options.slot_count; ++i) {
    const std::uint64_t sequence = options.first_sequence + i;
    auto* stamp =
        reinterpret_cast<std::uint64_t*>(slots + (sequence & mask) * options.slot.slot_bytes());
    store_relaxed(stamp, EVRING_STAMP_BUSY(sequence - options.slot_count));
  }
}

/// Without a stamp to write, each page all the same, or the producer's first lap faults on it.
void LocalMemory::touch_pages() noexcept {
  const std::uint64_t end = bytes_wanted(options);
  for (std::uint64_t at = EVRING_HEADER_BYTES; at < end; at += kPageBytes) {
    store_relaxed(reinterpret_cast<std::uint64_t*>(ring.bytes() + at), 0);
  }
}

void LocalMemory::write_header(std::uint64_t mapping_bytes) {
  auto* header = ring.as<evring_header>();
  header->layout_major = EVRING_LAYOUT_MAJOR;
  header->layout_minor = EVRING_LAYOUT_MINOR;
  header->mapping_bytes = mapping_bytes;
  header->slots_offset = EVRING_HEADER_BYTES;
  header->slot_count = options.slot_count;
  header->features = EVRING_FEATURE_WRITE_LIMIT;
  header->write_limit = options.first_sequence;
  header->slot_bytes = options.slot.slot_bytes();
  header->slot_format = static_cast<std::uint32_t>(options.slot.format());
  header->payload_offset = options.slot.payload_offset();
  header->payload_bytes = options.slot.payload_bytes();
  header->first_sequence = options.first_sequence;
  header->mode = static_cast<std::uint32_t>(options.mode);
  header->clock = EVRING_CLOCK_MONOTONIC;
  header->source = EVRING_SOURCE_LOCAL;
  header->home_cpu = EVRING_HOME_CPU_ANY;
  read_boot_id(header->boot_id);
  std::memcpy(header->name, options.name.c_str(), options.name.size() + 1);
  header->head = options.first_sequence;
  // (P7) The constants and the stamps before magic, or a half-made ring passes the
  // check. Pairs with (C7).
  store_release(word_of(header->magic), EVRING_MAGIC);
}

void LocalMemory::seal(int fd) {
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  if (::fcntl(fd, F_ADD_SEALS, seals) != 0) {
    throw_errno(options.name + ": sealing the memory file");
  }
  read_only_file = open_read_only(fd, options.name);
}

void LocalMemory::make_seats() {
  seats.reserve(options.registered_count_max);
  for (unsigned i = 0; i < options.registered_count_max; ++i) {
    FileDescriptor file = make_memory_file(options.name, kPageBytes);
    if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
      throw_errno(options.name + ": sealing a consumer page");
    }
    SharedPages page(file.get(), kPageBytes, PROT_READ | PROT_WRITE, options.name);
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) throw_errno(options.name + ": pipe2");
    FileDescriptor doorbell_fd(ends[0]);
    FileDescriptor bell_rope(ends[1]);
    ::fcntl(bell_rope.get(), F_SETPIPE_SZ, kPageBytes);  // it holds a ring or two
    // A consumer of another user reopens its end too.
    if (::fchmod(doorbell_fd.get(), 0644) != 0) throw_errno(options.name + ": fchmod of a pipe");
    FileDescriptor timer_fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!timer_fd) throw_errno(options.name + ": timerfd_create");
    seats.push_back({std::move(file), std::move(page), std::move(doorbell_fd), std::move(bell_rope),
                     std::move(timer_fd)});
  }
  if (::fcntl(doorbell_file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    throw_errno(options.name + ": sealing the doorbell page");
  }
}

void LocalMemory::fill_side() {
  side.header = ring.as<evring_header>();
  side.slots = ring.bytes() + EVRING_HEADER_BYTES;
  side.geometry = check_header(*side.header, side.header->mapping_bytes, options.name);
  side.doorbell = doorbell.as<evring_doorbell_page>();
  side.table = table.as<RegistrationTable>();
  store_relaxed(&side.table->claim, options.first_sequence);
  store_relaxed(&side.table->repaired_limit, options.first_sequence);
  side.lease_fd = lease_file.get();
  side.doorbell_fds.fill(-1);
  side.timer_fds.fill(-1);
  for (std::size_t i = 0; i < seats.size(); ++i) {
    side.pages[i] = seats[i].page.as<evring_consumer_page>();
    side.doorbell_fds[i] = seats[i].bell_rope.get();
    side.timer_fds[i] = seats[i].timer.get();
  }
}

}  // namespace evring
