// SPDX-License-Identifier: MIT
// Events as text, hexadecimal and JSON; and moments evenly spaced.
#include <evring/poller/encode.hpp>
#include <evring/poller/pace.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace evring {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(EncodeTest, PayloadsAreTextOrHexadecimal) {
  std::string out;
  append_payload(out, bytes_of("hello"));
  EXPECT_EQ(out, "\"hello\"");
  out.clear();
  append_payload(out, bytes_of(std::string_view("\x00\xff\x10\x7f\x05\x06\x07\x08\x09", 9)));
  EXPECT_EQ(out, "00ff107f05060708 09");
  out.clear();
  append_payload(out, {});
  EXPECT_EQ(out, "");
}

TEST(EncodeTest, EventsShowWhatTheirSlotsHave) {
  AnyEvent event{};
  event.sequence = 3;
  event.timestamp_ns = 5;
  event.type = 7;
  event.length_bytes = 2;
  std::memcpy(event.payload.data(), "ab", 2);
  const auto line = [&](SlotFormat format) {
    std::string out;
    JsonLine(out).text("ring", "local:a").event(event, format).end();
    return out;
  };
  EXPECT_EQ(line(SlotFormat::kFull),
            "{\"ring\":\"local:a\",\"sequence\":3,\"timestamp_ns\":5,\"type\":7,"
            "\"length_bytes\":2,\"payload\":\"6162\"}\n");
  EXPECT_EQ(line(SlotFormat::kTimestamp),
            "{\"ring\":\"local:a\",\"sequence\":3,\"timestamp_ns\":5,"
            "\"length_bytes\":2,\"payload\":\"6162\"}\n");
  for (const SlotFormat format : {SlotFormat::kBare, SlotFormat::kPacked}) {
    EXPECT_EQ(line(format),
              "{\"ring\":\"local:a\",\"sequence\":3,\"length_bytes\":2,\"payload\":\"6162\"}\n");
  }
}

TEST(EncodeTest, ValuesAreEscaped) {
  std::string out;
  JsonLine(out).text("a", "q\"b\\n\n\xe4").boolean("b", true).number("c", UINT64_MAX).end();
  EXPECT_EQ(out, "{\"a\":\"q\\\"b\\\\n\\u000a\\u00e4\",\"b\":true,\"c\":18446744073709551615}\n");
  out.clear();
  JsonLine(out).end();
  EXPECT_EQ(out, "{}\n");
}

TEST(PaceTest, MomentsDoNotDrift) {
  const Pace::Clock::time_point begin{};
  for (const std::uint64_t rate_hz : {1u, 3u, 7u, 1'000'000u}) {
    Pace pace(rate_hz, begin);
    for (std::uint64_t i = 0; i < 10 * rate_hz && i < 1'000'000; ++i) {
      const auto due = pace.next();
      if (i % rate_hz == 0) {
        ASSERT_EQ(due - begin, std::chrono::seconds(i / rate_hz));
      }
    }
  }
  Pace at_once(0, begin);
  EXPECT_EQ(at_once.next(), begin);
  EXPECT_EQ(at_once.next(), begin);
}

}  // namespace
}  // namespace evring
