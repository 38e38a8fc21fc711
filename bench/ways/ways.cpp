// SPDX-License-Identifier: MIT
// Every way in with every way out, for payloads of some sizes: a record a line. Compiled by
// bench/cliffs with each compiler and level, for what they make of the same code.
// Usage: ways PAIR_MS THREADS_MS: how long each pair runs on one thread, and on two; 0: not at all.
#include <bench/rig/clock.hpp>
#include <bench/ways/ways.hpp>

#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace evring::bench {
namespace {

constexpr std::uint64_t kThere = 256;  ///< events in the ring at a time, on one thread
constexpr const char* kNoRing = "no ring";

/// What lies at `there` may have been read and changed.
void keep_in_memory(void* there) noexcept { __asm__ volatile("" : : "r"(there) : "memory"); }

/// Instructions of this thread in user space; none where the machine counts none.
class InstructionCount {
 public:
  InstructionCount() {
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
    attributes.exclude_kernel = attributes.exclude_hv = 1;
    fd_ = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  }
  ~InstructionCount() {
    if (fd_ >= 0) close(fd_);
  }
  InstructionCount(const InstructionCount&) = delete;
  InstructionCount& operator=(const InstructionCount&) = delete;

  bool counts() const { return fd_ >= 0; }
  std::uint64_t now() const {
    std::uint64_t count = 0;
    return fd_ >= 0 && read(fd_, &count, sizeof(count)) == sizeof(count) ? count : 0;
  }

 private:
  int fd_;
};

void pin(unsigned index) {
  static const auto allowed = [] {
    cpu_set_t set;
    sched_getaffinity(0, sizeof(set), &set);
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
    return cpus;
  }();
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(allowed[index % allowed.size()], &one);
  sched_setaffinity(0, sizeof(one), &one);
}

/// What one half of a pair took of each event.
struct Cost {
  std::vector<double> cycles;
  double instructions = 0;

  double median() {
    std::nth_element(cycles.begin(), cycles.begin() + cycles.size() / 2, cycles.end());
    return cycles[cycles.size() / 2];
  }
};

template <class Half>
void measure(Cost& cost, const InstructionCount& instructions, Half&& half) {
  const std::uint64_t counted = instructions.now();
  const std::uint64_t begin = ticks_now();
  half();
  const std::uint64_t end = ticks_now();
  cost.cycles.push_back(static_cast<double>(end - begin) / kThere);
  cost.instructions = static_cast<double>(instructions.now() - counted) / kThere;
}

void fail(const char* in, const char* out) {
  std::fprintf(stderr, "ways: %s to %s: payloads do not add up\n", in, out);
  std::exit(1);
}

/// On one thread, kThere in and kThere out, in turns.
template <class T>
void pair_on_one_thread(const WayIn<T>& in, const WayOut<T>& out, std::chrono::milliseconds time) {
  static const InstructionCount instructions;
  Ends<T> ends(2 * kThere);
  Found found;
  Cost put;
  Cost take;
  std::uint64_t published = 0;
  for (const auto until = Clock::now() + time; put.cycles.size() < 8 || Clock::now() < until;) {
    measure(put, instructions, [&] {
      for (std::uint64_t i = 0; i < kThere; i += kRun) in.put(ends, kRun);
    });
    published += kThere;
    measure(take, instructions, [&] {
      while (found.next != published) out.take(ends, found);
    });
    ends.consumer.commit();
    if (found.wrong != 0) fail(in.name, out.name);
  }
  std::printf(
      "{\"payload\": %zu, \"in\": \"%s\", \"style\": \"%s\", \"out\": \"%s\", "
      "\"in_cycles\": %.2f, \"out_cycles\": %.2f",
      sizeof(T), in.name, in.style, out.name, put.median(), take.median());
  if (instructions.counts()) {
    std::printf(", \"in_instructions\": %.1f, \"out_instructions\": %.1f", put.instructions,
                take.instructions);
  }
}

/// The same payloads with no ring: what a compiler makes of the fill and the check alone.
template <class T, class Style>
void without_a_ring(std::chrono::milliseconds time) {
  static const InstructionCount instructions;
  std::vector<T> payloads(2 * kThere);
  Found found;
  Cost put;
  Cost take;
  for (const auto until = Clock::now() + time; put.cycles.size() < 8 || Clock::now() < until;) {
    T* const there = payloads.data() + found.next % payloads.size();
    measure(put, instructions, [&] {
      for (std::uint64_t i = 0; i < kThere; ++i) Style::fill(there[i], found.next + i);
      keep_in_memory(there);
    });
    measure(take, instructions, [&] {
      Found now = found;
      for (std::uint64_t i = 0; i < kThere; ++i) now.check(there[i]);
      found = now;
    });
    if (found.wrong != 0) fail(kNoRing, kNoRing);
  }
  std::printf(
      "{\"payload\": %zu, \"in\": \"%s\", \"style\": \"%s\", \"out\": \"%s\", "
      "\"in_cycles\": %.2f, \"out_cycles\": %.2f}\n",
      sizeof(T), kNoRing, Style::kName, kNoRing, put.median(), take.median());
}

/// From one CPU to another. @return events a second.
template <class T>
double pair_of_threads(const WayIn<T>& in, const WayOut<T>& out, std::chrono::milliseconds time) {
  Ends<T> ends(4096);
  std::atomic<bool> begins{false};
  std::atomic<std::uint64_t> published{0};
  std::atomic<bool> has_ended{false};
  Found found;
  std::jthread reader([&] {
    pin(1);
    begins = true;
    while (!has_ended || found.next != published) out.take(ends, found);
  });
  while (!begins) std::this_thread::yield();
  const auto begin = Clock::now();
  std::uint64_t count = 0;
  for (; Clock::now() < begin + time; count += 64 * kRun) {
    for (int i = 0; i < 64; ++i) in.put(ends, kRun);
  }
  published = count;
  has_ended = true;
  reader.join();
  const std::chrono::duration<double> seconds = Clock::now() - begin;
  if (found.wrong != 0) fail(in.name, out.name);
  return static_cast<double>(count) / seconds.count();
}

template <class T>
void run_all(std::chrono::milliseconds pair_time, std::chrono::milliseconds thread_time) {
  without_a_ring<T, ByConstructor>(pair_time);
  without_a_ring<T, ByLoop>(pair_time);
  for (const WayIn<T>& in : ways_in<T>()) {
    for (const WayOut<T>& out : ways_out<T>()) {
      pair_on_one_thread(in, out, pair_time);
      if (thread_time.count() != 0) {
        std::printf(", \"events_per_second\": %.0f", pair_of_threads(in, out, thread_time));
      }
      std::printf("}\n");
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace evring::bench

int main(int argc, char** argv) {
  using namespace evring::bench;
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s PAIR_MS THREADS_MS\n", argv[0]);
    return 2;
  }
  const std::chrono::milliseconds pair_time(std::atoi(argv[1]));
  const std::chrono::milliseconds thread_time(std::atoi(argv[2]));
  pin(0);
  run_all<Payload<std::uint64_t, 1>>(pair_time, thread_time);
  run_all<Payload<std::uint64_t, 2>>(pair_time, thread_time);
  run_all<Payload<std::uint64_t, 3>>(pair_time, thread_time);
  run_all<Payload<std::uint64_t, 5>>(pair_time, thread_time);
  run_all<Payload<std::uint64_t, 7>>(pair_time, thread_time);
  run_all<Payload<std::uint64_t, 15>>(pair_time, thread_time);
  run_all<Payload<std::uint32_t, 125>>(pair_time, thread_time);
  return 0;
}
