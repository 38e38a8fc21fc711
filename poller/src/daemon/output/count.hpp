// SPDX-License-Identifier: MIT
// The output "count": how many events of each type there were.
#pragma once

#include "output.hpp"

#include <cstdint>
#include <map>
#include <mutex>

namespace evring::daemon {

class CountOutput : public Output {
 public:
  void take(const BurstView& burst) override;
  OutputAccount account() const override;

 private:
  mutable std::mutex mutex_;  ///< of what follows; taken once a burst
  std::uint64_t received_ = 0;
  std::map<std::uint32_t, std::uint64_t> by_type_;
};

}  // namespace evring::daemon
