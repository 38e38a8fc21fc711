// SPDX-License-Identifier: MIT
// The ladder where io_uring is forbidden, as containers do: the next rung is taken,
// and the cause is named.
#include "support.hpp"

#include <evring/poller/relax.hpp>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>

namespace evring {
namespace {

/// From now on in this process, system call `number` fails with `error`.
bool forbid(long number, int error) {
  std::array<sock_filter, 4> code{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool steps_down_naming(long number, int error, const char* cause) {
  if (!forbid(number, error)) return false;
  const UringSupport support = probe_io_uring();
  PollerOptions options;
  options.strategy = WaitStrategy::kPark;
  Poller poller(std::move(options));
  LocalRing ring = small_ring();
  Producer producer(ring);
  poller.add(PollSource::of(ring));
  std::printf("%s\n", poller.rung(0).reason.c_str());
  std::fflush(stdout);
  producer.publish(event_of(1));
  std::uint64_t seen = 0;
  poller.poll_once([&](unsigned, std::span<const Event> events) { seen += events.size(); });
  return !support.usable && support.error == error && poller.rung(0).rung == Rung::kEpoll &&
         poller.rung(0).reason.find(cause) != std::string::npos && seen == 1;
}

TEST(LadderTest, NamesTheFilterThatRefuses) {
  in_child([] { return steps_down_naming(SYS_io_uring_setup, EPERM, "seccomp"); });
}

TEST(LadderTest, NamesTheFilterThatHides) {
  in_child([] { return steps_down_naming(SYS_io_uring_setup, ENOSYS, "ENOSYS"); });
}

TEST(LadderTest, NoticesAFilterOnEnterAlone) {
  in_child([] { return steps_down_naming(SYS_io_uring_enter, EPERM, "seccomp"); });
}

TEST(LadderTest, SpinsWhenAskedTo) {
  PollerOptions options;
  options.best_rung = Rung::kSpin;
  Poller poller(std::move(options));
  poller.add(PollSource::of(small_ring()));
  EXPECT_EQ(poller.rung(0).rung, Rung::kSpin);
}

TEST(LadderTest, SaysWhatIoUringOffersHere) {
  const UringSupport support = probe_io_uring();
  ASSERT_TRUE(support.usable) << support.reason;
  EXPECT_FALSE(support.reason.empty());
  EXPECT_EQ(support.error, 0);
}

TEST(WaitStrategyTest, NamesGoBothWays) {
  for (const WaitStrategy strategy : {WaitStrategy::kBusySpin, WaitStrategy::kYield,
                                      WaitStrategy::kAdaptive, WaitStrategy::kPark}) {
    EXPECT_EQ(parse_wait_strategy(to_string(strategy)), strategy);
  }
  EXPECT_FALSE(parse_wait_strategy("sleep").has_value());
}

/// The flags of /proc/cpuinfo, which the kernel reads from the same leaf.
bool kernel_says_waitpkg() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("flags", 0) == 0) return (line + " ").find(" waitpkg ") != std::string::npos;
  }
  return false;
}

TEST(RelaxTest, TakesTpauseOnlyWhereTheCpuHasIt) {
  EXPECT_EQ(relax_for(0), Relax::kPause);
  EXPECT_EQ(relax_for(1U << 5), Relax::kTimedPause);
  EXPECT_EQ(relax_for(~(1U << 5)), Relax::kPause);
  EXPECT_EQ(best_relax(), kernel_says_waitpkg() ? Relax::kTimedPause : Relax::kPause);
}

TEST(RelaxTest, ComesBackSoon) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) relax_once(best_relax());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace evring
