// SPDX-License-Identifier: MIT
// The inside of a LocalRing: its memory and, for a named one, its server.
#pragma once

#include <evring/detail/lease.hpp>
#include <evring/local_ring.hpp>

#include <memory>

#include "local_memory.hpp"
#include "local_server.hpp"

namespace evring {

struct LocalRing::Impl {
  explicit Impl(const LocalRingOptions& options);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  std::shared_ptr<LocalMemory> memory;
  std::shared_ptr<ProducerSide> side;
  Mapping mapping;
  ProcessMark owner;
  std::unique_ptr<LocalServer> server;  ///< a named ring's; ends first
};

}  // namespace evring
