// SPDX-License-Identifier: MIT
// What is no peer: the mutex list, a pipe, plain queues that mark the ceiling, no queue at all.
#include <bench/contenders/bare_slots.hpp>
#include <bench/contenders/mutex_list.hpp>
#include <bench/contenders/plain_queues.hpp>
#include <bench/contenders/protocols.hpp>
#include <bench/contenders/registry.hpp>
#include <evring/descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

namespace evring::bench {
namespace {

/// An event a call, as the course has it, and a burst under one lock.
template <std::size_t kPayload>
using List = FanOut<OneByOne<MutexList<Words<kPayload>>>>;
template <std::size_t kPayload>
using ListBurst = FanOut<ByBurst<MutexList<Words<kPayload>>>>;
template <std::size_t kPayload>
using ListShared = ShareOut<OneByOne<MutexList<Words<kPayload>>>>;

/// Through the kernel: writes of at most PIPE_BUF bytes, which a pipe takes whole or not at all.
template <std::size_t kPayload>
class PipeLane {
 public:
  using value_type = Words<kPayload>;

  explicit PipeLane(std::size_t slot_count) {
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    read_end_ = FileDescriptor(fds[0]);
    write_end_ = FileDescriptor(fds[1]);
    // As large as the other queues where the user's limit allows it; its default if not.
    static_cast<void>(
        fcntl(write_end_.get(), F_SETPIPE_SZ, static_cast<int>(slot_count * kPayload)));
  }

  std::size_t push(const value_type* events, std::size_t count) {
    const std::size_t offered = std::min(count, PIPE_BUF / kPayload);
    const ssize_t written = write(write_end_.get(), events, offered * kPayload);
    return written < 0 ? 0 : static_cast<std::size_t>(written) / kPayload;
  }
  std::size_t pop(value_type* events, std::size_t count) {
    const ssize_t got = read(read_end_.get(), events, count * kPayload);
    return got <= 0 ? 0 : static_cast<std::size_t>(got) / kPayload;
  }

 private:
  FileDescriptor read_end_;
  FileDescriptor write_end_;
};
template <std::size_t kPayload>
using Pipe = FanOut<ByBurst<PipeLane<kPayload>>>;

constexpr std::size_t line_of(std::size_t payload) { return payload <= 24 ? 32 : 64; }
template <std::size_t kPayload>
using PlainPacked = FanOut<PlainIndexLane<kPayload, 8, 0, 0>>;
template <std::size_t kPayload>
using PlainLines = FanOut<PlainIndexLane<kPayload, line_of(kPayload), 4, 0>>;
template <std::size_t kPayload>
using PlainPatient = FanOut<PlainIndexLane<kPayload, line_of(kPayload), 4, 64>>;
template <std::size_t kPayload>
using PlainNullSlot = FanOut<PlainNullSlotLane<kPayload>>;

template <std::size_t kPayload>
using Disruptor = GatedArray<kPayload, 0>;
template <std::size_t kPayload>
using ReaderCursors = GatedArray<kPayload, 4>;

template <std::size_t kPayload>
void add_nothing(Registry& registry) {
  Contender none =
      row<NoQueue<kPayload>>("no-queue", "fill and check, nothing between", Origin::kNone);
  Contender slots = row<BareSlots<kPayload>>(
      "bare-slots", "stamped lines and no more: what a payload in a line costs", Origin::kNone);
  for (const char* loop : {"throughput", "ping-pong", "latency"}) none.loops.erase(loop);
  slots.loops.erase("throughput");
  registry.push_back(none);
  registry.push_back(slots);
}

}  // namespace

void add_baselines(Registry& registry) {
  const Origin baseline = Origin::kBaseline;
  add<List>(registry, "mutex-list", "mutex + list, an event a call, one list per consumer",
            baseline);
  add<ListBurst>(registry, "mutex-list-burst", "as mutex-list, a burst under one lock", baseline);
  add<ListShared>(registry, "mutex-list-shared", "mutex + list, events shared out", baseline);
  add<Pipe>(registry, "pipe", "pipe, one per consumer", Origin::kKernel);
  add<PlainPacked>(registry, "plain-packed", "two cached indices, slots side by side, no stamps",
                   baseline);
  add<PlainLines>(registry, "plain-lines",
                  "two cached indices, a line a slot, room given back by quarters, no stamps",
                  baseline);
  add<PlainPatient>(registry, "plain-patient",
                    "as plain-lines, with a consumer that waits for more to read", baseline);
  add<PlainNullSlot>(registry, "plain-null-slot", "a full/empty word a slot, no indices shared",
                     baseline);
  const Origin protocol = Origin::kProtocol;
  add<Disruptor>(registry, "disruptor", "one array, a cursor and gating sequences, by batch",
                 protocol);
  add<ReaderCursors>(registry, "reader-cursors",
                     "as disruptor, gating sequences stored by quarters", protocol);
  add<UncheckedSlots>(registry, "unchecked-slots",
                      "a sequence a slot, producer running free, nothing checked: may tear",
                      protocol);
  add_nothing<56>(registry);
  add_nothing<16>(registry);
}

}  // namespace evring::bench
