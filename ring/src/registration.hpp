// SPDX-License-Identifier: MIT
// The inside of a Registration: the same for a consumer of the owner's process and
// for one behind a socket; only who owns the memory and who hears of the end differ.
#pragma once

#include <evring/registration.hpp>

#include <cstdint>
#include <memory>
#include <optional>

#include "local_memory.hpp"
#include "registration_table.hpp"

namespace evring {

struct Registration::Impl {
  unsigned index = 0;
  std::uint64_t sequence = 0;
  std::uint64_t slot_count = 0;
  const evring_header* header = nullptr;
  evring_consumer_page* page = nullptr;
  evring_doorbell_page* doorbell = nullptr;
  FileDescriptor doorbell_fd;
  int timer_fd = -1;
  bool is_armed = false;
  std::uint64_t armed_cursor = 0;  ///< what the page says as well, which others may write
  std::uint64_t armed_events = 0;
  std::uint64_t armed_wake_us = 0;
  ProcessMark mark;  ///< who registered: a fork's copy does nothing

  /// In the owner's process (and its forks).
  std::shared_ptr<LocalMemory> memory;
  Seat seat;

  /// Behind a socket.
  std::optional<Mapping> mapping;
  SharedPages page_pages;
  SharedPages doorbell_pages;
  FileDescriptor owned_timer_fd;
  FileDescriptor owner;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  /// Takes the reading end of the doorbell's pipe, as a description of its own that
  /// nobody else can make block, and empties it of what rang before.
  void open_doorbell(int pipe_end, const std::string& name);
  void begin_arm(const ArmRequest& request, std::uint64_t cursor) noexcept;
  bool end_arm(bool ordered) noexcept;
  bool disarm() noexcept;

 private:
  std::uint64_t bit() const noexcept { return 1ULL << index; }
};

}  // namespace evring
