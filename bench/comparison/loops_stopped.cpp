// SPDX-License-Identifier: MIT
// A consumer that stops or dies beside one that lives; see measure/stopped_consumer.hpp.
#include "loops.hpp"

#include <bench/measure/stopped_consumer.hpp>

#include <stdexcept>

namespace evring::bench {

nlohmann::json stopped_consumer_record(const Case& one) {
  if (one.variant != "stopped" && one.variant != "killed") {
    throw std::invalid_argument("stopped-consumer: the variant is stopped or killed, not \"" +
                                one.variant + "\"");
  }
  StoppedOptions options;
  options.slot_count = one.slot_count;
  options.burst_count = one.burst_count;
  options.halt = one.variant == "stopped" ? Halt::kStopped : Halt::kKilled;
  options.placement.fifo = one.fifo;
  const StoppedResult result = run_stopped_consumer(options);
  return {{"value", result.rate_ratio},
          {"unit", "x"},
          {"exact", result.exact},
          {"delivered_ratio", result.delivered_ratio},
          {"paced_lost_more", result.paced_lost_more},
          {"rate_with", result.rate_with},
          {"rate_without", result.rate_without}};
}

}  // namespace evring::bench
