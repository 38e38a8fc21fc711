// SPDX-License-Identifier: MIT
// Attaching: every wrong field is refused with what was found and what was
// expected; the memory is sealed, and read-only means read-only.
#include <fcntl.h>
#include <sys/mman.h>

#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>

#include "support.hpp"

namespace evring {
namespace {

constexpr std::uint64_t kRingBytes = 4096 + 4096;

/// A good header of 64 slots of 64 bytes.
evring_header good_header() {
  evring_header header{};
  const LocalRing ring = LocalRing::anonymous({.slot_count = 64, .name = "model"});
  std::memcpy(&header, ring.mapping().header(), sizeof(header));
  return header;
}

struct Fault {
  const char* name;
  std::function<void(evring_header&)> plant;
  const char* found;
  const char* expected;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class HeaderFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(HeaderFaultTest, IsRefusedWithFoundAndExpected) {
  evring_header header = good_header();
  ASSERT_NO_THROW(check_header(header, kRingBytes, "ring-x"));
  GetParam().plant(header);
  try {
    check_header(header, kRingBytes, "ring-x");
    FAIL() << "accepted";
  } catch (const std::system_error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.code().value(), EPROTO);
    EXPECT_NE(text.find("ring-x"), std::string::npos) << text;
    EXPECT_NE(text.find(GetParam().found), std::string::npos) << text;
    EXPECT_NE(text.find(GetParam().expected), std::string::npos) << text;
  }
}

using H = evring_header;
INSTANTIATE_TEST_SUITE_P(
    Fields, HeaderFaultTest,
    ::testing::Values(
        Fault{"magic", [](H& h) { h.magic = 0x1234; }, "magic is 0x1234",
              "expected 0x100676e69727665"},
        Fault{"magic_missing", [](H& h) { h.magic = 0; }, "magic is 0x0", "expected 0x1"},
        Fault{"major", [](H& h) { h.layout_major = 2; }, "layout_major is 2", "expected 1"},
        Fault{"clock", [](H& h) { h.clock = 9; }, "clock is 9", "expected 1"},
        Fault{"source", [](H& h) { h.source = 4; }, "source is 4", "expected 0 to 3"},
        Fault{"slot_bytes_16", [](H& h) { h.slot_bytes = 16; }, "slot_bytes is 16", "from 32"},
        Fault{"slot_bytes_8192", [](H& h) { h.slot_bytes = 8192; }, "is 8192", "to 4096"},
        Fault{"slot_bytes_65", [](H& h) { h.slot_bytes = 65; }, "is 65", "a power of two"},
        Fault{"slot_bytes_0", [](H& h) { h.slot_bytes = 0; }, "is 0", "a power of two"},
        Fault{"slot_format", [](H& h) { h.slot_format = 4; }, "slot_format is 4", "0 to 3"},
        Fault{"packed_slot_bytes",
              [](H& h) {
                h.slot_format = EVRING_SLOT_PACKED;
                h.slot_bytes = 4;
              },
              "slot_bytes is 4", "from 8 to 4096"},
        Fault{"packed_payload_offset", [](H& h) { h.slot_format = EVRING_SLOT_PACKED; },
              "payload_offset is 24", "expected 0"},
        Fault{"packed_without_a_limit",
              [](H& h) {
                h.slot_format = EVRING_SLOT_PACKED;
                h.payload_offset = 0;
                h.payload_bytes = h.slot_bytes;
                h.features = 0;
              },
              "features is 0x0", "EVRING_FEATURE_WRITE_LIMIT"},
        Fault{"slot_format_other", [](H& h) { h.slot_format = 0; }, "payload_offset is 24",
              "expected 8"},
        Fault{"payload_offset", [](H& h) { h.payload_offset = 16; }, "payload_offset is 16",
              "expected 24"},
        Fault{"payload_bytes", [](H& h) { h.payload_bytes = 48; }, "payload_bytes is 48",
              "expected 40"},
        Fault{"slot_count_0", [](H& h) { h.slot_count = 0; }, "slot_count is 0", "from 2"},
        Fault{"slot_count_63", [](H& h) { h.slot_count = 63; }, "slot_count is 63",
              "a power of two"},
        Fault{"slot_count_128", [](H& h) { h.slot_count = 128; }, "mapping_bytes is 8192",
              "at least 12288"},
        Fault{"slot_count_huge", [](H& h) { h.slot_count = std::uint64_t{1} << 58; },
              "slot_count is 288230376151711744", "to 16777216"},
        Fault{"slots_offset_0", [](H& h) { h.slots_offset = 0; }, "slots_offset is 0",
              "at least 4096"},
        Fault{"slots_offset_odd", [](H& h) { h.slots_offset = 4104; }, "slots_offset is 4104",
              "a multiple of 4096"},
        Fault{"slots_offset_far", [](H& h) { h.slots_offset = 8192; }, "mapping_bytes is 8192",
              "at least 12288"},
        Fault{"slots_offset_huge", [](H& h) { h.slots_offset = ~std::uint64_t{4095}; },
              "slots_offset is", "a multiple of 4096"},
        Fault{"mapping_bytes_small", [](H& h) { h.mapping_bytes = 4096; }, "mapping_bytes is 4096",
              "at least 8192"},
        Fault{"mapping_bytes_large", [](H& h) { h.mapping_bytes = 1 << 20; },
              "mapping_bytes is 1048576", "expected 8192"},
        Fault{"mode", [](H& h) { h.mode = 2; }, "mode is 2", "overwrite"}),
    [](const auto& fault) { return std::string(fault.param.name); });

TEST(MappingTest, AcceptsALaterMinorVersion) {
  evring_header header = good_header();
  header.layout_minor = 7;
  EXPECT_NO_THROW(check_header(header, kRingBytes, "ring-x"));
}

TEST(MappingTest, RefusesAMappingOfAnotherLength) {
  const evring_header header = good_header();
  EXPECT_THROW(check_header(header, kRingBytes - 4096, "x"), std::system_error);
  EXPECT_THROW(check_header(header, kRingBytes + 4096, "x"), std::system_error);
  EXPECT_THROW(check_header(header, 64, "x"), std::system_error);
}

TEST(MappingTest, RefusesAFileThatCanBeCut) {
  const int fd = ::memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_EQ(::ftruncate(fd, kRingBytes), 0);
  const evring_header header = good_header();
  ASSERT_EQ(::pwrite(fd, &header, sizeof(header), 0), static_cast<ssize_t>(sizeof(header)));
  try {
    Mapping::attach(fd, "unsealed");
    ADD_FAILURE() << "accepted";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EPERM);
    EXPECT_NE(std::string(error.what()).find("F_SEAL_SHRINK"), std::string::npos);
  }
  ASSERT_EQ(::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
  EXPECT_NO_THROW(Mapping::attach(fd, "sealed"));
  ::close(fd);
}

TEST(MappingTest, RefusesWhatIsNoRing) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  EXPECT_THROW(Mapping::attach(pipes[0], "pipe"), std::system_error);
  const int null = ::open("/dev/null", O_RDONLY);
  EXPECT_THROW(Mapping::attach(null, "/dev/null"), std::system_error);
  EXPECT_THROW(Mapping::attach(-1, "nothing"), std::system_error);
  ::close(null);
  ::close(pipes[0]);
  ::close(pipes[1]);
}

TEST(LocalRingTest, IsSealedAgainstEveryNewWriter) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 64});
  const int fd = ring.read_only_fd();
  EXPECT_EQ(::mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  EXPECT_EQ(::pwrite(fd, "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(fd, 0), -1);
  // As root, or through a descriptor that is open for writing, the seals still hold.
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int writable = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (writable >= 0) {
    EXPECT_EQ(::mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, writable, 0),
              MAP_FAILED);
    EXPECT_EQ(::pwrite(writable, "x", 1, 0), -1);
    EXPECT_EQ(::ftruncate(writable, 0), -1);
    EXPECT_EQ(::ftruncate(writable, 1 << 20), -1);
    EXPECT_EQ(::fallocate(writable, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
    ::close(writable);
  }
  EXPECT_EQ(::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1) << "the seals are final";
}

TEST(LocalRingTest, MapsReadOnlyForConsumers) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 64});
  const Mapping mapping = ring.mapping();
  auto* page = const_cast<evring_header*>(mapping.header());
  EXPECT_EQ(::mprotect(page, 4096, PROT_READ | PROT_WRITE), -1);
  const int status = testing::run_child([page] {
    ::signal(SIGSEGV, SIG_DFL);
    __atomic_store_n(&page->head, 1, __ATOMIC_RELAXED);
    return true;
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << "the store went through";
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

TEST(LocalRingTest, RefusesOptionsOutOfBounds) {
  EXPECT_THROW(LocalRing::anonymous({.slot_count = 0}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.slot_count = 1}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.slot_count = 100}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.slot = {SlotFormat::kFull, 48}}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.slot = {SlotFormat::kBare, 16}}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.slot = {SlotFormat::kPacked, 4}}), std::invalid_argument);
  EXPECT_NO_THROW(LocalRing::anonymous({.slot = {SlotFormat::kPacked, 8}}));
  EXPECT_THROW(LocalRing::anonymous({.slot_count = 1 << 24, .slot = {SlotFormat::kFull, 4096}}),
               std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.name = "a/b"}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.name = ""}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.name = std::string(32, 'x')}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.registered_count_max = 0}), std::invalid_argument);
  EXPECT_THROW(LocalRing::anonymous({.registered_count_max = 64}), std::invalid_argument);
  try {
    LocalRing::anonymous({.slot_count = 100});
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("slot_count is 100"), std::string::npos);
  }
}

TEST(LocalRingTest, FallsBackWhereThereAreNoHugePages) {
  const LocalRing ring = LocalRing::anonymous({.slot_count = 64, .huge_pages = true});
  Producer producer(ring);
  Consumer consumer(ring.mapping());
  testing::publish_numbered(producer, 3);
  testing::drain(consumer);
  EXPECT_EQ(consumer.received(), 3u);
}

TEST(LocalRingTest, StatesItselfInTheHeader) {
  const LocalRing ring = LocalRing::anonymous(
      {.slot_count = 64, .mode = Mode::kGated, .first_sequence = 5, .name = "stated"});
  const Mapping mapping = ring.mapping();
  EXPECT_EQ(mapping.name(), "stated");
  EXPECT_EQ(mapping.geometry().mode, Mode::kGated);
  EXPECT_EQ(mapping.geometry().first_sequence, 5u);
  EXPECT_EQ(mapping.geometry().slot_count, 64u);
  EXPECT_EQ(mapping.header()->source, static_cast<std::uint32_t>(EVRING_SOURCE_LOCAL));
  EXPECT_EQ(mapping.header()->head, 5u);
}

}  // namespace
}  // namespace evring
