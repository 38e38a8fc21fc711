// SPDX-License-Identifier: MIT
// The output "count": how many events of each type there were. Types come from whoever
// publishes: past the first kTypesMax all others are counted together.
#pragma once

#include "output.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace evring::daemon {

class CountOutput : public Output {
 public:
  void take(const BurstView& burst) override;
  OutputAccount account() const override;

 private:
  static constexpr std::size_t kTypesMax = 1024;
  void count(std::uint32_t type);

  mutable std::mutex mutex_;  ///< of what follows; taken once a burst
  std::uint64_t received_ = 0;
  std::uint64_t of_other_types_ = 0;
  std::map<std::uint32_t, std::uint64_t> by_type_;
};

}  // namespace evring::daemon
