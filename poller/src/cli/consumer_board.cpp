// SPDX-License-Identifier: MIT
// See consumer_board.hpp. A file is one page: magic, pid, the six counts, then two
// NUL-terminated names. Counts are single words: each is whole, and a reader may see
// some a burst older than others.
#include "consumer_board.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <evring/memory.hpp>
#include <filesystem>
#include <system_error>
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

std::filesystem::path board_folder() { return local_socket_path("x").parent_path() / "consumers"; }

ConsumerEntry parse(const std::array<std::uint64_t, kPageBytes / 8>& page) {
  const char* bytes = reinterpret_cast<const char*>(page.data());
  ConsumerEntry entry;
  entry.ring.assign(bytes + kRingAt, strnlen(bytes + kRingAt, kNameBytes));
  entry.who.assign(bytes + kWhoAt, strnlen(bytes + kWhoAt, kNameBytes));
  entry.pid = page[kPidWord];
  entry.balance = {page[kStart], page[kCursor], page[kReceived], page[kLost], page[kOverruns]};
  entry.doorbells = page[kDoorbells];
  return entry;
}

}  // namespace

ConsumerPost::ConsumerPost(const std::string& ring, const std::string& who) {
  static std::atomic<unsigned> number{0};
  std::error_code ignored;
  std::filesystem::create_directories(board_folder(), ignored);
  path_ = board_folder() / fmt::format("{}-{}", getpid(), number++);
  file_ = FileDescriptor(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
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
  if (file_) unlink(path_.c_str());
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
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(board_folder(), error)) {
    const std::string path = file.path();
    const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) continue;
    if (flock(fd.get(), LOCK_SH | LOCK_NB) == 0) {  // nobody holds it: its owner is dead
      unlink(path.c_str());
      continue;
    }
    std::array<std::uint64_t, kPageBytes / 8> page{};
    if (pread(fd.get(), page.data(), kPageBytes, 0) != kPageBytes) continue;
    if (page[kMagicWord] == kMagic) entries.push_back(parse(page));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.ring, a.pid) < std::tie(b.ring, b.pid);
  });
  return entries;
}

}  // namespace evring::cli
