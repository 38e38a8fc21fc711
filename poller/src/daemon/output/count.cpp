// SPDX-License-Identifier: MIT
#include "count.hpp"

namespace evring::daemon {

void CountOutput::take(const BurstView& burst) {
  const std::lock_guard lock(mutex_);
  received_ += burst.size();
  for (std::size_t i = 0; i < burst.size(); ++i) count(burst[i].type);
}

void CountOutput::count(std::uint32_t type) {
  const auto known = by_type_.find(type);
  if (known != by_type_.end()) {
    ++known->second;
  } else if (by_type_.size() < kTypesMax) {
    by_type_.emplace(type, 1);
  } else {
    ++of_other_types_;
  }
}

OutputAccount CountOutput::account() const {
  const std::lock_guard lock(mutex_);
  OutputAccount account;
  account.received = received_;
  account.delivered = of_other_types_;
  for (const auto& [type, count] : by_type_) account.delivered += count;
  account.by_type = by_type_;
  account.of_other_types = of_other_types_;
  return account;
}

}  // namespace evring::daemon
