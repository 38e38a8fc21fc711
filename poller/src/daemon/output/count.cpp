// SPDX-License-Identifier: MIT
#include "count.hpp"

namespace evring::daemon {

void CountOutput::take(const BurstView& burst) {
  const std::lock_guard lock(mutex_);
  received_ += burst.size();
  for (std::size_t i = 0; i < burst.size(); ++i) ++by_type_[burst[i].type];
}

OutputAccount CountOutput::account() const {
  const std::lock_guard lock(mutex_);
  OutputAccount account;
  account.received = received_;
  for (const auto& [type, count] : by_type_) account.delivered += count;
  account.by_type = by_type_;
  return account;
}

}  // namespace evring::daemon
