// SPDX-License-Identifier: MIT
// Bare lines streamed between two cores. The consumer sees only whole batches: head
// is stored after a batch, the cursor is returned once a quarter ring.
#include <bench/measure/bare_lines.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace evring::bench {
namespace {

constexpr std::size_t kLineWords = 8;
using Line = std::array<std::uint64_t, kLineWords>;

void store_plain(std::uint64_t* line, std::uint64_t sequence) noexcept {
  std::uint64_t word = sequence;
  for (std::size_t i = 0; i < kLineWords; ++i, word += kPatternStep) {
    __atomic_store_n(line + i, word, __ATOMIC_RELAXED);
  }
}

#if defined(__x86_64__)
alignas(64) constexpr Line kSteps = {0 * kPatternStep, 1 * kPatternStep, 2 * kPatternStep,
                                     3 * kPatternStep, 4 * kPatternStep, 5 * kPatternStep,
                                     6 * kPatternStep, 7 * kPatternStep};

[[gnu::target("avx512f")]] void batch_avx512(std::uint64_t* lines, std::uint64_t mask,
                                             std::uint64_t first, std::uint64_t count) noexcept {
  const __m512i steps = _mm512_load_si512(kSteps.data());
  for (std::uint64_t i = 0; i < count; ++i) {
    const __m512i words =
        _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(first + i)), steps);
    _mm512_store_si512(lines + ((first + i) & mask) * kLineWords, words);
  }
}

[[gnu::target("avx2")]] void batch_avx2(std::uint64_t* lines, std::uint64_t mask,
                                        std::uint64_t first, std::uint64_t count) noexcept {
  const auto* steps = reinterpret_cast<const __m256i*>(kSteps.data());
  for (std::uint64_t i = 0; i < count; ++i) {
    const __m256i base = _mm256_set1_epi64x(static_cast<long long>(first + i));
    auto* line = reinterpret_cast<__m256i*>(lines + ((first + i) & mask) * kLineWords);
    _mm256_store_si256(line, _mm256_add_epi64(base, _mm256_load_si256(steps)));
    _mm256_store_si256(line + 1, _mm256_add_epi64(base, _mm256_load_si256(steps + 1)));
  }
}
#endif

void batch_plain(std::uint64_t* lines, std::uint64_t mask, std::uint64_t first,
                 std::uint64_t count) noexcept {
  for (std::uint64_t i = 0; i < count; ++i) {
    store_plain(lines + ((first + i) & mask) * kLineWords, first + i);
  }
}

using Batch = void (*)(std::uint64_t*, std::uint64_t, std::uint64_t, std::uint64_t) noexcept;

Batch batch_for(LineStore store) noexcept {
#if defined(__x86_64__)
  if (store == LineStore::kVector) {
    if (__builtin_cpu_supports("avx512f")) return batch_avx512;
    if (__builtin_cpu_supports("avx2")) return batch_avx2;
  }
#endif
  static_cast<void>(store);
  return batch_plain;
}

/// One run: lines, head and cursor, each on lines of its own.
class LineStream {
 public:
  LineStream(const RunOptions& options, Batch batch)
      : options_(options),
        batch_(batch),
        barrier_(2, Pause(options.placement.oversubscribed(2))),
        pause_(options.placement.oversubscribed(2)),
        mask_(options.slot_count - 1),
        lines_(static_cast<std::uint64_t*>(
            ::operator new (options.slot_count * sizeof(Line), std::align_val_t{4096}))) {
    std::memset(lines_, 0, options.slot_count * sizeof(Line));
  }
  ~LineStream() { ::operator delete (lines_, std::align_val_t{4096}); }
  LineStream(const LineStream&) = delete;
  LineStream& operator=(const LineStream&) = delete;

  ThroughputResult operator()() {
    std::jthread consumer([this] { consume(); });
    std::jthread producer([this] { produce(); });
    producer.join();
    consumer.join();
    return result_;
  }

 private:
  void produce() {
    options_.placement.enter(0);
    barrier_.arrive_and_wait();
    const bool timed = options_.duration.count() != 0;
    const std::uint64_t end = timed ? ~std::uint64_t{0} >> 1 : options_.event_count;
    begun_ = Clock::now();
    Pause pause = pause_;
    std::uint64_t next = 0;
    std::uint64_t room_until = options_.slot_count;
    std::uint64_t look_at = 1024;
    while (next < end) {
      const std::uint64_t until = std::min<std::uint64_t>(next + options_.burst_count, end);
      while (until > room_until) {
        room_until = cursor_.word.load(std::memory_order_acquire) + options_.slot_count;
        if (until > room_until) pause();
      }
      batch_(lines_, mask_, next, until - next);
      next = until;
      head_.word.store(next, std::memory_order_release);
      if (timed && next >= look_at) {
        look_at = next + 1024;
        if (Clock::now() - begun_ >= options_.duration) break;
      }
    }
    result_.published = next;
    result_.publish_seconds = seconds_between(begun_, Clock::now());
    end_.word.store(next + 1, std::memory_order_release);
    barrier_.arrive_and_wait();
  }

  void consume() {
    options_.placement.enter(1);
    const std::uint64_t quarter = options_.slot_count / 4;
    barrier_.arrive_and_wait();
    Pause pause = pause_;
    std::uint64_t next = 0;
    std::uint64_t committed = 0;
    std::uint64_t torn = 0;
    for (;;) {
      const bool over = end_.word.load(std::memory_order_acquire) == next + 1;
      const std::uint64_t head = head_.word.load(std::memory_order_acquire);
      if (next == head) {
        if (over) break;
        pause();
        continue;
      }
      while (next != head) {
        const std::uint64_t until = std::min(head, committed + quarter);
        torn += check(next, until);
        next = until;
        if (next - committed >= quarter) {
          cursor_.word.store(next, std::memory_order_release);
          committed = next;
        }
      }
    }
    result_.seconds = seconds_between(begun_, Clock::now());
    result_.verdict = {.exact = torn == 0, .received = next, .lost = 0, .torn = torn};
    barrier_.arrive_and_wait();
  }

  std::uint64_t check(std::uint64_t next, std::uint64_t until) const noexcept {
    std::uint64_t torn = 0;
    for (; next != until; ++next) {
      const std::uint64_t* line = lines_ + (next & mask_) * kLineWords;
      std::uint64_t difference = 0;
      std::uint64_t word = next;
      for (std::size_t i = 0; i < kLineWords; ++i, word += kPatternStep) {
        difference |= __atomic_load_n(line + i, __ATOMIC_RELAXED) ^ word;
      }
      torn += difference != 0 ? 1 : 0;
    }
    return torn;
  }

  const RunOptions options_;
  const Batch batch_;
  SpinBarrier barrier_;
  const Pause pause_;
  const std::uint64_t mask_;
  std::uint64_t* const lines_;
  SharedLine head_;
  SharedLine cursor_;
  SharedLine end_;
  Clock::time_point begun_{};
  ThroughputResult result_;
};

}  // namespace

const char* vector_store_name() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return "avx512";
  if (__builtin_cpu_supports("avx2")) return "avx2";
#endif
  return "plain";
}

ThroughputResult run_bare_lines(const RunOptions& options, LineStore store) {
  if (options.burst_count > options.slot_count) {
    throw std::invalid_argument("bare lines: a batch is larger than the ring");
  }
  return LineStream(options, batch_for(store))();
}

}  // namespace evring::bench
