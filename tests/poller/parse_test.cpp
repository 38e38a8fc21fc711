// SPDX-License-Identifier: MIT
// Names, rings, numbers and times as people write them, right and wrong.
#include <evring/poller/parse.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace evring {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::string refusal(auto&& parse) {
  try {
    parse();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(ParseTest, NamesAreOneRuleForAll) {
  for (const char* name : {"a", "soft0", "a.b-c_D", "-", "0", "1234567890123456789012345678901"}) {
    EXPECT_EQ(parse_name(name), name);
  }
  for (const std::string name : {"", ".", "..", ".a", "a/b", "../x", "a b", "a\n", "\xc3\xa4",
                                 "12345678901234567890123456789012"}) {
    EXPECT_NE(refusal([&] { parse_name(name); }).find("is no name; give 1 to 31 letters"),
              std::string::npos)
        << name;
  }
  EXPECT_NE(refusal([] { parse_name(std::string_view("a\0b", 3)); }), "");
}

TEST(ParseTest, RingsAreLocalOrDevices) {
  EXPECT_TRUE(parse_ring("local:a").is_local);
  EXPECT_EQ(parse_ring("local:a").name, "a");
  EXPECT_EQ(parse_ring("local:a").text(), "local:a");
  EXPECT_FALSE(parse_ring("soft0").is_local);
  EXPECT_EQ(parse_ring("/dev/evring/soft0").text(), "soft0");
  for (const char* name : {"local:", "local:../x", "local:local:a", "/dev/soft0", "a/b", "control",
                           "local:control", "/dev/evring/control", "/dev/evring/"}) {
    const std::string line = refusal([&] { parse_ring(name); });
    EXPECT_NE(line.find("'" + std::string(name) + "' is no name for a ring"), std::string::npos)
        << name << ": " << line;
  }
}

TEST(ParseTest, LeadingZerosAreNotOctal) {
  EXPECT_EQ(parse_number("0256", 0, 1000), 256u);
  EXPECT_EQ(parse_power_of_two("0256", 2, 1024), 256u);
  EXPECT_EQ(parse_number("08", 0, 1000), 8u);
}

TEST(ParseTest, NumbersHaveUnitsAndBounds) {
  EXPECT_EQ(parse_number("0x2a", 0, 100), 42u);
  EXPECT_EQ(parse_number("4k", 0, UINT64_MAX), 4000u);
  EXPECT_EQ(parse_number("4Ki", 0, UINT64_MAX), 4096u);
  EXPECT_EQ(parse_number("2M", 0, UINT64_MAX), 2'000'000u);
  EXPECT_EQ(parse_power_of_two("64Ki", 2, 1 << 24), 65536u);
  EXPECT_EQ(parse_number("18446744073709551615", 0, UINT64_MAX), UINT64_MAX);
  for (const char* text : {"", "-3", "+3", " 3", "3 ", "3.0", "1e3", "0x", "0x2g", "nan", "k", "4K",
                           "18446744073709551616", "18446744073709551615k"}) {
    EXPECT_EQ(refusal([&] { parse_number(text, 0, UINT64_MAX); }),
              "'" + std::string(text) + "' is not a whole number from 0 to 18446744073709551615");
  }
  EXPECT_EQ(refusal([] { parse_number("0", 1, 9); }), "'0' is not a whole number from 1 to 9");
  EXPECT_EQ(refusal([] { parse_power_of_two("1000", 2, 4096); }),
            "'1000' is not a power of two from 2 to 4096");
}

TEST(ParseTest, TimesHaveUnitsAndAreFinite) {
  const auto parse = [](std::string_view text) {
    return parse_duration(text, milliseconds(10), hours(1));
  };
  EXPECT_EQ(parse("1"), seconds(1));
  EXPECT_EQ(parse("1.5"), milliseconds(1500));
  EXPECT_EQ(parse("20ms"), milliseconds(20));
  EXPECT_EQ(parse("60m"), hours(1));
  EXPECT_EQ(parse("10000001ns"), nanoseconds(10'000'001));
  for (const char* text : {"nan", "NaN", "-nan", "inf", "infinity", "nanms", "", "s", "-1", "1x",
                           "0", "9ms", "1.01h", "1e300", "1e999"}) {
    EXPECT_EQ(
        refusal([&] { parse(text); }),
        "'" + std::string(text) +
            "' is not a time from 10ms to 1h; give seconds, or a number with ns, us, ms, s, m "
            "or h");
  }
}

}  // namespace
}  // namespace evring
