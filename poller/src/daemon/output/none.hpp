// SPDX-License-Identifier: MIT
// The output "none": events are read and forgotten.
#pragma once

#include "output.hpp"

#include <evring/poller/counters.hpp>

namespace evring::daemon {

class NoOutput : public Output {
 public:
  void take(const BurstView& burst) override { received_.add(burst.size()); }
  OutputAccount account() const override {
    OutputAccount account;
    account.received = account.delivered = received_;
    return account;
  }

 private:
  Counter received_;
};

}  // namespace evring::daemon
