// SPDX-License-Identifier: MIT
#include <evring/detail/lease.hpp>
#include <evring/memory.hpp>
#include <evring/poller/board.hpp>
#include <evring/runtime_dir.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <system_error>
#include <tuple>

namespace evring {
namespace {

constexpr std::uint64_t kMagic = 0x006472616f627665;  // "evboard", 0 in memory
constexpr const char* kFolder = "consumers";
constexpr std::size_t kPageBytes = 4096;
constexpr off_t kFileBytesMax = off_t{64} << 20;
constexpr std::size_t kRecordBytes = 256;
constexpr unsigned kLeaseByte = 0;  ///< of the file; see Lease

/// The first record of a file. Its owner has the lease before the magic is there.
struct alignas(kRecordBytes) Header {
  std::uint64_t magic = 0;
  std::uint64_t pid = 0;
  alignas(64) PollerCounters counters;
  std::array<char, 112> who{};
};

/// Every other record, by the number of a ring.
struct alignas(kRecordBytes) Record {
  std::uint64_t serial = 0;  ///< 0: shows nothing; else another one each time it is shown
  RingCounters counters;
  std::array<char, 176> ring{};
};

static_assert(sizeof(Header) == kRecordBytes && sizeof(Record) == kRecordBytes);
static_assert(sizeof(RingCounters) == 9 * sizeof(std::uint64_t));

template <std::size_t kBytes>
void set_text(std::array<char, kBytes>& to, const std::string& text) noexcept {
  to.fill('\0');
  text.copy(to.data(), kBytes - 1);
}

/// Whoever posts may be another user: nothing that would steer a terminal, the control
/// characters past ASCII included. By bytes: a char may have a sign, or none.
template <std::size_t kBytes>
std::string text_of(const std::array<char, kBytes>& from) {
  std::string text(from.data(), strnlen(from.data(), kBytes));
  const auto steers = [](unsigned char byte) { return byte < 0x20 || byte >= 0x7f; };
  std::replace_if(text.begin(), text.end(), steers, '?');
  return text;
}

void* map_pages(int fd, std::size_t page, std::size_t page_count) noexcept {
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* memory = mmap(nullptr, page_count * kPageBytes, PROT_READ | PROT_WRITE, flags, fd,
                      fd < 0 ? 0 : static_cast<off_t>(page * kPageBytes));
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

struct BoardPost::Impl {
  /// Pages that were added at once; they stay where they are.
  struct Chunk {
    std::byte* memory;
    std::size_t first_page;
    std::size_t page_count;
  };

  std::string refusal;
  std::optional<RuntimeDir> folder;
  std::string name;
  FileDescriptor file;
  Lease lease;
  std::vector<Chunk> chunks;
  std::uint64_t serial = 0;

  void open() {
    static std::atomic<unsigned> number{0};
    folder.emplace(RuntimeDir::make().make_folder(kFolder));
    do {
      name = std::to_string(getpid()) + "-" + std::to_string(number++);
      file = FileDescriptor(openat(folder->fd(), name.c_str(),
                                   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
    } while (!file && errno == EEXIST);  // left by a dead one that had this pid
    const std::string path = (folder->path() / name).native();
    if (!file) throw std::system_error(errno, std::generic_category(), path);
    fchmod(file.get(), 0644);  // for stat of others, whatever the umask; the folder may forbid it
    lease = Lease(file.get(), path);
    if (!lease.take(kLeaseByte)) throw std::system_error(EBUSY, std::generic_category(), path);
  }

  /// Takes the file away; what is mapped of it stays.
  void close() noexcept {
    if (file) unlinkat(folder->fd(), name.c_str(), 0);
    file = FileDescriptor();
  }

  /// Twice as many pages as there are. Room that is not there must show here: a store to
  /// it would be the end of the process.
  void grow() {
    const std::size_t first =
        chunks.empty() ? 0 : chunks.back().first_page + chunks.back().page_count;
    const std::size_t count = std::max<std::size_t>(first, 1);
    void* memory = nullptr;
    if (file) {
      const int error = posix_fallocate(file.get(), static_cast<off_t>(first * kPageBytes),
                                        static_cast<off_t>(count * kPageBytes));
      if (error == 0) memory = map_pages(file.get(), first, count);
      if (memory == nullptr) {
        refusal = (folder->path() / name).native() + ": " +
                  std::generic_category().message(error != 0 ? error : errno);
        if (chunks.empty()) close();
      }
    }
    if (memory == nullptr) memory = map_pages(-1, 0, count);
    if (memory == nullptr) throw std::bad_alloc();
    chunks.push_back({static_cast<std::byte*>(memory), first, count});
    for (std::size_t i = chunks.size() == 1 ? 1 : 0; i < count * kPageBytes / kRecordBytes; ++i) {
      new (chunks.back().memory + i * kRecordBytes) Record;
    }
  }

  Header& header() noexcept { return *std::launder(reinterpret_cast<Header*>(chunks[0].memory)); }

  /// The header takes the place of the first record.
  Record& record(unsigned id) {
    const std::size_t byte = (std::size_t{id} + 1) * kRecordBytes;
    for (;;) {
      for (const Chunk& chunk : chunks) {
        if (byte >= (chunk.first_page + chunk.page_count) * kPageBytes) continue;
        std::byte* const memory = chunk.memory + (byte - chunk.first_page * kPageBytes);
        return *std::launder(reinterpret_cast<Record*>(memory));
      }
      grow();
    }
  }
};

BoardPost::BoardPost(const std::string& who, bool is_posted) : impl_(std::make_unique<Impl>()) {
  try {
    if (is_posted) impl_->open();
  } catch (const std::system_error& error) {
    impl_->refusal = error.what();
    impl_->close();
  }
  impl_->grow();
  Header& header = *new (impl_->chunks[0].memory) Header;
  header.pid = static_cast<std::uint64_t>(getpid());
  set_text(header.who, who.empty() ? program_invocation_short_name : who);
  // (B1) What the file is before the magic. Pairs with (B3).
  store_release(&header.magic, kMagic);
}

BoardPost::~BoardPost() {
  if (impl_->lease.is_mine()) impl_->close();
  for (const Impl::Chunk& chunk : impl_->chunks) {
    munmap(chunk.memory, chunk.page_count * kPageBytes);
  }
}

const std::string& BoardPost::refusal() const noexcept { return impl_->refusal; }

PollerCounters& BoardPost::counters() noexcept { return impl_->header().counters; }

RingCounters& BoardPost::show(unsigned id, const std::string& ring) {
  Record& record = impl_->record(id);
  hide(id);
  // (B2) Not shown any more before the name and counts of another ring. Pairs with (B3).
  fence_release();
  set_text(record.ring, ring);
  for (Counter* each :
       {&record.counters.start, &record.counters.cursor, &record.counters.received,
        &record.counters.lost, &record.counters.overruns, &record.counters.bursts,
        &record.counters.empty_polls, &record.counters.arms, &record.counters.doorbells}) {
    each->set(0);
  }
  // (B1) The name before it is shown. Pairs with (B3).
  store_release(&record.serial, ++impl_->serial);
  return record.counters;
}

void BoardPost::hide(unsigned id) noexcept { store_relaxed(&impl_->record(id).serial, 0); }

namespace {

/// Records as they are read: words, since counts change meanwhile.
struct SeenHeader {
  std::uint64_t magic, pid;
  std::array<std::uint64_t, 15> counters_and_padding;
  std::array<char, 112> who;
  std::array<char, 8> padding;
};
struct SeenRecord {
  std::uint64_t serial, start, cursor, received, lost, overruns;
  std::uint64_t bursts, empty_polls, arms, doorbells;
  std::array<char, 176> ring;
};
static_assert(sizeof(SeenHeader) == kRecordBytes && sizeof(SeenRecord) == kRecordBytes);
static_assert(offsetof(SeenHeader, who) == offsetof(Header, who));
static_assert(offsetof(SeenRecord, ring) == offsetof(Record, ring));

/// Reads a record anew while it is being written. @return nothing where it shows nothing.
template <class Seen>
bool read_record(int fd, std::size_t index, Seen& seen) {
  const auto at = static_cast<off_t>(index * kRecordBytes);
  return pread(fd, &seen, kRecordBytes, at) == static_cast<ssize_t>(kRecordBytes);
}

/// Whether the record shows a ring, and the same one before and after it was read.
bool read_shown(int fd, std::size_t index, SeenRecord& seen) {
  if (!read_record(fd, index, seen) || seen.serial == 0) return false;
  // (B3) Name and counts before the serial again. Pairs with (B1) and (B2).
  fence_acquire();
  std::uint64_t serial = 0;
  const auto at = static_cast<off_t>(index * kRecordBytes);
  return pread(fd, &serial, sizeof(serial), at) == sizeof(serial) && serial == seen.serial;
}

void append_entries(int fd, const SeenHeader& header, std::size_t record_count,
                    std::vector<ConsumerEntry>& entries) {
  SeenRecord seen;
  for (std::size_t i = 1; i < record_count; ++i) {
    if (!read_shown(fd, i, seen)) continue;
    entries.push_back({text_of(seen.ring),
                       text_of(header.who),
                       header.pid,
                       {seen.start, seen.cursor, seen.received, seen.lost, seen.overruns},
                       seen.doorbells});
  }
}

}  // namespace

/// What is no regular file of whole pages with the magic is none of ours: not read, not
/// waited for, not removed.
std::vector<ConsumerEntry> read_consumer_board() {
  std::vector<ConsumerEntry> entries;
  const std::optional<RuntimeDir> dir = RuntimeDir::find();
  const std::optional<RuntimeDir> folder = dir ? dir->find_folder(kFolder) : std::nullopt;
  if (!folder) return entries;
  for (const std::string& name : folder->names()) {
    const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
    const FileDescriptor fd(openat(folder->fd(), name.c_str(), flags));
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (info.st_size % kPageBytes != 0 || info.st_size > kFileBytesMax) continue;
    SeenHeader header;
    if (!read_record(fd.get(), 0, header) || header.magic != kMagic) continue;
    if (Lease::is_taken(fd.get(), kLeaseByte)) {
      append_entries(fd.get(), header, static_cast<std::size_t>(info.st_size) / kRecordBytes,
                     entries);
    } else if (info.st_uid == geteuid()) {
      unlinkat(folder->fd(), name.c_str(), 0);
    }
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.ring, a.pid) < std::tie(b.ring, b.pid);
  });
  return entries;
}

}  // namespace evring
