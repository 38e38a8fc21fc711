// SPDX-License-Identifier: MIT
// The memory and descriptors of a local ring, all made before anyone can fork, so
// that the owner's children find every page and every doorbell at the same place.
// Lives until the last LocalRing, producer and registration of this process ends.
#pragma once

#include <evring/detail/producer_side.hpp>
#include <evring/local_ring.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "shared_pages.hpp"

namespace evring {

/// What one registered consumer gets: its page, and what wakes it.
///
/// The doorbell is a pipe and no eventfd: of a pipe each end is a description of its own,
/// so nobody who has the reading end can make a write block. The timer's description is
/// shared; it is set and never read.
struct ConsumerSeat {
  FileDescriptor page_file;
  SharedPages page;
  FileDescriptor doorbell;
  FileDescriptor bell_rope;  ///< the writing end, for producers alone
  FileDescriptor timer;
};

class LocalMemory {
 public:
  /// @throws std::invalid_argument naming the option and its bounds;
  ///         std::system_error naming the call.
  explicit LocalMemory(const LocalRingOptions& options);
  LocalMemory(const LocalMemory&) = delete;
  LocalMemory& operator=(const LocalMemory&) = delete;

  LocalRingOptions options;
  bool has_huge_pages = false;
  FileDescriptor read_only_file;  ///< the sealed memory file, opened for reading
  FileDescriptor doorbell_file;
  FileDescriptor lease_file;
  SharedPages ring;
  SharedPages doorbell;
  SharedPages table;
  std::vector<ConsumerSeat> seats;
  ProducerSide side;

 private:
  FileDescriptor make_ring_file(std::uint64_t bytes);
  void write_header(std::uint64_t mapping_bytes);
  void write_stamps() noexcept;
  void touch_pages() noexcept;
  void seal(int fd);
  void make_seats();
  void fill_side();
};

}  // namespace evring
