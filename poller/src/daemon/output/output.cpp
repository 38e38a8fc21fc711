// SPDX-License-Identifier: MIT
#include "output.hpp"

#include "count.hpp"
#include "jsonl.hpp"
#include "none.hpp"

#include <utility>

namespace evring::daemon {

std::unique_ptr<Output> make_output(const ConsumerConfig& config, Output::Print print) {
  switch (config.output) {
    case OutputKind::kCount:
      return std::make_unique<CountOutput>();
    case OutputKind::kJsonl:
      return std::make_unique<JsonlOutput>(config, std::move(print));
    case OutputKind::kNone:
      break;
  }
  return std::make_unique<NoOutput>();
}

}  // namespace evring::daemon
