// SPDX-License-Identifier: MIT
// See consumer_board.hpp. A file is one page: magic, pid, the six counts, then two
// NUL-terminated names. Counts are single words: each is whole, and a reader may see
// some a burst older than others. The owner locks its file before the magic is there; so
// a file with the magic and without a lock has lost its owner.
#include "consumer_board.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <evring/memory.hpp>
#include <optional>
#include <tuple>

namespace evring::cli {
namespace {

constexpr std::uint64_t kMagic = 0x31726d7573766500ULL;
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kRingAt = 1024;
constexpr std::size_t kWhoAt = 2048;
constexpr std::size_t kNameBytes = 256;
enum Word : std::size_t {
  kMagicWord,
  kPidWord,
  kStart,
  kCursor,
  kReceived,
  kLost,
  kOverruns,
  kDoorbells,
  kWordCount
};

constexpr const char* kFolder = "consumers";
using Page = std::array<std::uint64_t, kPageBytes / 8>;

ConsumerEntry parse(const Page& page) {
  const char* bytes = reinterpret_cast<const char*>(page.data());
  ConsumerEntry entry;
  entry.ring.assign(bytes + kRingAt, strnlen(bytes + kRingAt, kNameBytes));
  entry.who.assign(bytes + kWhoAt, strnlen(bytes + kWhoAt, kNameBytes));
  entry.pid = page[kPidWord];
  entry.balance = {page[kStart], page[kCursor], page[kReceived], page[kLost], page[kOverruns]};
  entry.doorbells = page[kDoorbells];
  return entry;
}

/// What is no regular file of one page with the magic is none of ours: not read, not
/// waited for, not removed.
std::optional<Page> read_page(int fd) {
  struct stat info {};
  Page page{};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != kPageBytes) return {};
  if (pread(fd, page.data(), kPageBytes, 0) != kPageBytes || page[kMagicWord] != kMagic) return {};
  return page;
}

bool is_own(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 && info.st_uid == geteuid();
}

}  // namespace

ConsumerPost::ConsumerPost(const std::string& ring, const std::string& who) {
  static std::atomic<unsigned> number{0};
  try {
    folder_.emplace(RuntimeDir::make().make_folder(kFolder));
  } catch (const std::system_error&) {
    return;
  }
  name_ = fmt::format("{}-{}", getpid(), number++);
  file_ = FileDescriptor(openat(folder_->fd(), name_.c_str(),
                                O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file_ || flock(file_.get(), LOCK_EX | LOCK_NB) != 0) return;
  if (ftruncate(file_.get(), kPageBytes) != 0) return;
  void* memory = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (memory == MAP_FAILED) return;
  auto* bytes = static_cast<char*>(memory);
  std::strncpy(bytes + kRingAt, ring.c_str(), kNameBytes - 1);
  std::strncpy(bytes + kWhoAt, who.c_str(), kNameBytes - 1);
  words_ = static_cast<std::uint64_t*>(memory);
  store_relaxed(words_ + kPidWord, static_cast<std::uint64_t>(getpid()));
  store_relaxed(words_ + kMagicWord, kMagic);
}

ConsumerPost::~ConsumerPost() {
  if (words_ != nullptr) munmap(words_, kPageBytes);
  if (file_) unlinkat(folder_->fd(), name_.c_str(), 0);
}

void ConsumerPost::update(const Balance& balance, std::uint64_t doorbells) noexcept {
  if (words_ == nullptr) return;
  store_relaxed(words_ + kStart, balance.start);
  store_relaxed(words_ + kCursor, balance.cursor);
  store_relaxed(words_ + kReceived, balance.received);
  store_relaxed(words_ + kLost, balance.lost);
  store_relaxed(words_ + kOverruns, balance.overruns);
  store_relaxed(words_ + kDoorbells, doorbells);
}

std::vector<ConsumerEntry> read_consumer_board() {
  std::vector<ConsumerEntry> entries;
  const std::optional<RuntimeDir> dir = RuntimeDir::find();
  const std::optional<RuntimeDir> folder = dir ? dir->find_folder(kFolder) : std::nullopt;
  if (!folder) return entries;
  for (const std::string& name : folder->names()) {
    const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
    const FileDescriptor fd(openat(folder->fd(), name.c_str(), flags));
    const std::optional<Page> page = fd ? read_page(fd.get()) : std::nullopt;
    if (!page) continue;
    if (flock(fd.get(), LOCK_SH | LOCK_NB) != 0) {
      entries.push_back(parse(*page));
    } else if (is_own(fd.get())) {
      unlinkat(folder->fd(), name.c_str(), 0);
    }
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.ring, a.pid) < std::tie(b.ring, b.pid);
  });
  return entries;
}

}  // namespace evring::cli
