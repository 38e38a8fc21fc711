// SPDX-License-Identifier: MIT
// CPU lists, the allowed set, pinning.
#include <evring/poller/cpu_list.hpp>

#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

namespace evring {
namespace {

using Cpus = std::vector<unsigned>;

TEST(CpuListTest, TakesNumbersAndRangesInTheOrderNamed) {
  EXPECT_EQ(parse_cpu_list("0"), (Cpus{0}));
  EXPECT_EQ(parse_cpu_list("1-3,5"), (Cpus{1, 2, 3, 5}));
  EXPECT_EQ(parse_cpu_list(" 5 , 1-2 "), (Cpus{5, 1, 2}));
  EXPECT_EQ(parse_cpu_list("4-4"), (Cpus{4}));
  EXPECT_EQ(parse_cpu_list("010"), (Cpus{10})) << "decimal";
}

TEST(CpuListTest, NamesEachCpuOnce) { EXPECT_EQ(parse_cpu_list("1-3,2,3-4"), (Cpus{1, 2, 3, 4})); }

TEST(CpuListTest, TakesObjectsOfHwloc) {
  const Cpus machine = parse_cpu_list("machine:0");
  EXPECT_FALSE(machine.empty());
  for (const char* object : {"core:0", "socket:0", "numa:0", "pu:0"}) {
    const Cpus cpus = parse_cpu_list(object);
    EXPECT_FALSE(cpus.empty()) << object;
    EXPECT_LE(cpus.size(), machine.size()) << object;
  }
  EXPECT_EQ(parse_cpu_list("pu:0").size(), 1u);
  EXPECT_EQ(parse_cpu_list("package:0"), parse_cpu_list("socket:0"));
  EXPECT_EQ(parse_cpu_list("NUMANode:0"), parse_cpu_list("numa:0"));
}

TEST(CpuListTest, RefusesWithTheItemAndTheRemedy) {
  for (const char* bad :
       {"", "x", "1,,2", "1-", "-1", "3-1", "1 2", "0x1", "core:", "core:x", "tile:0", "1-2-3",
        "group9:0", "core:99999", "99999999999999999999", "0-4000000000", "1,"}) {
    try {
      parse_cpu_list(bad);
      FAIL() << "took '" << bad << "'";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("core:2"), std::string::npos) << error.what();
    }
  }
}

TEST(CpuListTest, FormatsRanges) {
  const Cpus cpus{1, 2, 3, 5, 8, 9};
  EXPECT_EQ(format_cpu_list(cpus), "1-3,5,8-9");
  EXPECT_EQ(format_cpu_list({}), "");
}

TEST(CpuListTest, RefusesACpuOutsideTheAllowedSetByName) {
  const std::array<unsigned, 2> wanted{1, 7};
  const std::array<unsigned, 3> allowed{0, 1, 2};
  try {
    check_allowed(wanted, allowed);
    FAIL() << "took CPU 7";
  } catch (const std::system_error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("CPU 7"), std::string::npos) << text;
    EXPECT_NE(text.find("0-2"), std::string::npos) << text;
    EXPECT_NE(text.find("cpuset"), std::string::npos) << text;
  }
}

TEST(PinTest, RunsWhereItIsTold) {
  const Cpus allowed = allowed_cpus();
  ASSERT_FALSE(allowed.empty());
  for (const unsigned cpu : allowed) {
    std::thread([cpu] {
      pin_this_thread(cpu);
      cpu_set_t mask;
      ASSERT_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);
      EXPECT_EQ(CPU_COUNT(&mask), 1);
      EXPECT_TRUE(CPU_ISSET(cpu, &mask));
      EXPECT_EQ(sched_getcpu(), static_cast<int>(cpu));
    }).join();
  }
  EXPECT_EQ(allowed_cpus(), allowed) << "pinning a thread narrows nobody's set";
}

TEST(PinTest, RefusesACpuThatDoesNotExist) {
  EXPECT_THROW(pin_this_thread(60000), std::system_error);
}

}  // namespace
}  // namespace evring
