// SPDX-License-Identifier: MIT
// What the ring's unit tests share: numbered events that know when they are torn,
// forked processes.
#pragma once

#include <evring/producer.hpp>

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <utility>

namespace evring::testing {

/// Word `index` of the payload of event `sequence`; no two words are alike.
constexpr std::uint64_t payload_word(std::uint64_t sequence, std::uint64_t index) noexcept {
  std::uint64_t x = (sequence + 1) * 0x9e3779b97f4a7c15ULL + index * 0xd1b54a32d192ed03ULL;
  x ^= x >> 29;
  return x * 0xbf58476d1ce4e5b9ULL;
}

/// Fills every payload word, so that one word of another event shows.
template <class EventType>
void fill(EventType& event, std::uint64_t sequence, std::size_t payload_bytes) noexcept {
  for (std::size_t i = 0; i < payload_bytes / 8; ++i) {
    const std::uint64_t word = payload_word(sequence, i);
    __builtin_memcpy(event.payload.data() + 8 * i, &word, 8);
  }
  if constexpr (requires { event.length_bytes; }) {
    event.type = static_cast<std::uint32_t>(sequence);
    event.length_bytes = static_cast<std::uint32_t>(payload_bytes);
  }
}

template <class EventType>
bool is_whole(const EventType& event, std::size_t payload_bytes) noexcept {
  for (std::size_t i = 0; i < payload_bytes / 8; ++i) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, event.payload.data() + 8 * i, 8);
    if (word != payload_word(event.sequence, i)) return false;
  }
  return true;
}

template <class EventType>
EventType numbered(std::uint64_t sequence) noexcept {
  EventType event;
  fill(event, sequence, event.payload.size());
  return event;
}
inline Event event_numbered(std::uint64_t sequence) noexcept { return numbered<Event>(sequence); }

inline bool is_whole(const Event& event) noexcept { return is_whole(event, 40); }

/// Publishes `count` events, each numbered with the sequence it gets.
template <class ProducerType>
void publish_numbered(ProducerType& producer, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    producer.publish(numbered<typename ProducerType::EventType>(producer.next_sequence()));
  }
}

/// Fills a reservation as publish_numbered() would.
template <class Reservation>
void fill_all(Reservation& reservation) {
  for (std::uint64_t i = 0; i < reservation.count(); ++i) {
    for (std::size_t word = 0; word < 5; ++word) {
      reservation.set_word(i, word, payload_word(reservation.sequence(i), word));
    }
  }
}

/// What reading everything there gave.
struct Drained {
  std::uint64_t torn = 0;
  std::uint64_t out_of_order = 0;
};

/// Reads and resyncs until nothing is there.
template <class Layout>
Drained drain(ConsumerCore<Layout>& consumer) {
  Drained drained;
  BasicEvent<Layout> event;
  for (;;) {
    const std::uint64_t expected = consumer.cursor();
    const ReadStatus status = consumer.try_read(event);
    if (status == ReadStatus::kEmpty) return drained;
    if (status == ReadStatus::kOverrun) {
      consumer.resync();
      continue;
    }
    drained.torn += is_whole(event, event.payload.size()) ? 0 : 1;
    drained.out_of_order += event.sequence == expected ? 0 : 1;
  }
}

inline bool is_readable(int fd, int timeout_ms = 0) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, timeout_ms) == 1;
}

/// Runs `body` in a forked process; true from it means success. @return the pid.
template <class Body>
pid_t start_child(Body&& body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  bool good = false;
  try {
    good = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in the child: %s\n", error.what());
  }
  ::_exit(good ? 0 : 1);
}

/// @return the wait status of `pid`.
inline int wait_for(pid_t pid) {
  int status = -1;
  ::waitpid(pid, &status, 0);
  return status;
}

template <class Body>
int run_child(Body&& body) {
  return wait_for(start_child(std::forward<Body>(body)));
}

}  // namespace evring::testing
