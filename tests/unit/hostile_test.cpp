// SPDX-License-Identifier: MIT
// A mapping that lies: random headers, random slots, and both changing under the
// reader. No call may fault, hang, or say what does not balance.
#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "support.hpp"

namespace evring {
namespace {

constexpr std::uint64_t kBytes = 8192;
constexpr std::uint64_t kWordCount = kBytes / 8;

std::uint64_t seed() {
  const char* text = std::getenv("EVRING_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 0) : 20240607;
}

/// Writable memory that a Mapping adopts, with a guard page behind it: a read past the
/// end faults.
class HostileMemory {
 public:
  explicit HostileMemory(AnySlotLayout slot = {}) {
    auto* base = static_cast<std::byte*>(
        ::mmap(nullptr, kBytes + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ::mmap(base, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    words_ = reinterpret_cast<std::uint64_t*>(base);
    const LocalRing model =
        LocalRing::anonymous({.slot_count = 4096 / slot.bytes, .slot = slot, .name = "hostile"});
    std::memcpy(words_, model.mapping().header(), kBytes);
  }
  HostileMemory(const HostileMemory&) = delete;
  HostileMemory& operator=(const HostileMemory&) = delete;
  ~HostileMemory() {
    if (!adopted_) ::munmap(words_, kBytes);
    ::munmap(reinterpret_cast<std::byte*>(words_) + kBytes, 4096);
  }

  Mapping adopt() {
    adopted_ = true;  // also when it throws: the memory is unmapped then
    return Mapping::adopt(words_, kBytes, "hostile");
  }
  std::uint64_t* words() { return words_; }

 private:
  std::uint64_t* words_;
  bool adopted_ = false;
};

/// What readers got, over all calls.
struct Reads {
  std::uint64_t events = 0;
  std::uint64_t cut = 0;    ///< whose length is all of the payload
  std::uint64_t uncut = 0;  ///< longer than that
  void note(std::uint32_t length_bytes, std::uint32_t payload_bytes) noexcept {
    ++events;
    cut += length_bytes == payload_bytes ? 1 : 0;
    uncut += length_bytes > payload_bytes ? 1 : 0;
  }
};

/// One read in any of the four ways, or a look around; what it gave is added to `reads`.
ReadStatus read_somehow(AnyConsumer& consumer, std::uint64_t way, Reads& reads) {
  const std::uint32_t payload_bytes = consumer.layout().payload_bytes();
  AnyEvent event;
  std::vector<AnyEvent> events(3);
  const auto touch = [&](const auto& view) {
    for (std::size_t word = 0; word < view.length_bytes() / 8; ++word) view.word(word);
    reads.note(view.length_bytes(), payload_bytes);
  };
  if (way == 0) {
    const ReadStatus status = consumer.try_read(event);
    if (status == ReadStatus::kEvent) reads.note(event.length_bytes, payload_bytes);
    return status;
  }
  if (way == 1) {
    const Burst burst = consumer.read_burst(events);
    for (std::size_t i = 0; i < burst.count; ++i) reads.note(events[i].length_bytes, payload_bytes);
    return burst.status;
  }
  if (way == 2) return consumer.visit(touch);
  if (way == 3) return consumer.visit_burst(3, touch).status;
  read_status(*consumer.mapping().header(), 0, 3);
  static_cast<void>(consumer.lag() + consumer.has_work());
  return ReadStatus::kEmpty;
}

/// Everything a consumer can do, `count` times; returns with its balance in order.
void exercise(Mapping mapping, std::mt19937_64& random, int count, Reads& reads) {
  AnyConsumer consumer(std::move(mapping), StartAt::kOldest);
  for (int i = 0; i < count; ++i) {
    if (read_somehow(consumer, random() % 5, reads) == ReadStatus::kOverrun) {
      consumer.resync(random() % 2 == 0 ? ResyncTo::kOldest : ResyncTo::kNewest);
    }
    ASSERT_TRUE(consumer.balance().balanced());
    ASSERT_EQ(reads.uncut, 0u) << "a length past the payload";
  }
}

TEST(HostileTest, RandomHeadersAreRefusedOrHarmless) {
  std::mt19937_64 random(seed());
  int accepted = 0;
  Reads reads;
  for (int round = 0; round < 3000; ++round) {
    HostileMemory memory;
    const std::uint64_t changes = 1 + random() % 4;
    for (std::uint64_t i = 0; i < changes; ++i) {
      const std::uint64_t word = random() % 32;
      const unsigned kind = static_cast<unsigned>(random() % 3);
      std::uint64_t& target = memory.words()[word];
      target = kind == 0   ? random()
               : kind == 1 ? target ^ (1ULL << (random() % 64))
                           : random() % 99;
    }
    try {
      exercise(memory.adopt(), random, 50, reads);
      ++accepted;
    } catch (const std::system_error& error) {
      ASSERT_EQ(error.code().value(), EPROTO) << "seed " << seed() << " round " << round;
    }
    if (HasFatalFailure()) FAIL() << "seed " << seed() << " round " << round;
  }
  EXPECT_GT(accepted, 0);
}

TEST(HostileTest, RandomSlotsNeverBreakAReader) {
  std::mt19937_64 random(seed() + 1);
  Reads reads;
  for (int round = 0; round < 300; ++round) {
    HostileMemory memory;
    for (std::uint64_t i = 32; i < kWordCount; ++i) memory.words()[i] = random() % 300;
    for (std::uint64_t i = 0; i < 16; ++i) memory.words()[512 + random() % 512] = random();
    memory.words()[32] = random() % 2 == 0 ? random() : random() % 200;  // head
    exercise(memory.adopt(), random, 200, reads);
    if (HasFatalFailure()) FAIL() << "seed " << seed() + 1 << " round " << round;
  }
}

// Of packed slots every one may be read: head and limit alone lie, and the mapping's end is near.
TEST(HostileTest, RandomHeadsOfPackedSlotsNeverBreakAReader) {
  std::mt19937_64 random(seed() + 5);
  Reads reads;
  for (int round = 0; round < 300; ++round) {
    HostileMemory memory(slot_of<PackedSlot<16>>());
    for (std::uint64_t i = 32; i < kWordCount; ++i) memory.words()[i] = random() % 600;
    memory.words()[EVRING_OFFSETOF(evring_header, head) / 8] =
        random() % 2 == 0 ? random() : random() % 600;
    memory.words()[EVRING_OFFSETOF(evring_header, write_limit) / 8] =
        random() % 2 == 0 ? random() : random() % 600;
    exercise(memory.adopt(), random, 200, reads);
    if (HasFatalFailure()) FAIL() << "seed " << seed() + 5 << " round " << round;
  }
  EXPECT_GT(reads.events, 1000u);
}

// As a ring that was lapped: most slots hold what a reader wants, of whatever length.
TEST(HostileTest, LengthsAreCutToThePayload) {
  std::mt19937_64 random(seed() + 4);
  Reads reads;
  for (int round = 0; round < 300; ++round) {
    HostileMemory memory;
    const std::uint64_t head = 64 + random() % 1000;
    for (std::uint64_t sequence = head - 64; sequence != head; ++sequence) {
      auto* slot = memory.words() + EVRING_HEADER_BYTES / 8 + sequence % 64 * 8;
      slot[0] = random() % 50 == 0 ? random() : EVRING_STAMP_READY(sequence);
      for (int word = 1; word < 8; ++word) slot[word] = random();
    }
    memory.words()[EVRING_OFFSETOF(evring_header, head) / 8] = head;
    memory.words()[EVRING_OFFSETOF(evring_header, write_limit) / 8] = head;
    exercise(memory.adopt(), random, 200, reads);
    if (HasFatalFailure()) FAIL() << "seed " << seed() + 4 << " round " << round;
  }
  EXPECT_GT(reads.events, 10'000u) << "of 19,200";
  EXPECT_GT(reads.cut, 10'000u) << "a random length is hardly ever one that fits";
}

class HostileChangeTest : public ::testing::TestWithParam<AnySlotLayout> {};

TEST_P(HostileChangeTest, AMappingThatChangesUnderTheReaderIsHarmless) {
  HostileMemory memory(GetParam());
  const Mapping mapping = memory.adopt();
  std::atomic<bool> stop = false;
  std::thread attacker([&] {
    std::mt19937_64 random(seed() + 2);
    while (!stop.load(std::memory_order_relaxed)) {
      const std::uint64_t word = random() % kWordCount;
      const std::uint64_t value = random() % 2 == 0 ? random() : random() % 400;
      __atomic_store_n(memory.words() + word, value, __ATOMIC_RELAXED);
    }
  });
  std::mt19937_64 random(seed() + 3);
  Reads reads;
  for (int round = 0; round < 100; ++round) exercise(mapping, random, 500, reads);
  stop = true;
  attacker.join();
}

INSTANTIATE_TEST_SUITE_P(Slots, HostileChangeTest,
                         ::testing::Values(slot_of<DefaultSlot>(), slot_of<PackedSlot<16>>()));

}  // namespace
}  // namespace evring
