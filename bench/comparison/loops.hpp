// SPDX-License-Identifier: MIT
// The loops that a case can name. Each runs one case and returns its record; the table
// in cases.cpp gives it its name.
#pragma once

#include "cases.hpp"

#include <bench/measure/throughput.hpp>

namespace evring::bench {

// Of every contender: loops_queues.cpp.
nlohmann::json throughput_record(const Case& one);
nlohmann::json same_thread_record(const Case& one);
nlohmann::json ping_pong_record(const Case& one);
nlohmann::json latency_record(const Case& one);

// What a queue costs by the count, and with a consumer that stopped.
nlohmann::json instructions_record(const Case& one);      // loops_instructions.cpp
nlohmann::json stopped_consumer_record(const Case& one);  // loops_stopped.cpp

// What the machine allows: loops_limits.cpp.
nlohmann::json bare_plain_record(const Case& one);
nlohmann::json bare_vector_record(const Case& one);
nlohmann::json eventfd_wake_record(const Case& one);
nlohmann::json futex_wake_record(const Case& one);
nlohmann::json doorbell_wake_record(const Case& one);
nlohmann::json syscall_record(const Case& one);

// Doorbells, parking and waiting: loops_idle.cpp. A case's variant says which.
nlohmann::json doorbell_look_record(const Case& one);
nlohmann::json parked_wake_record(const Case& one);
nlohmann::json parked_idle_record(const Case& one);
nlohmann::json moderation_record(const Case& one);
nlohmann::json many_rings_record(const Case& one);
nlohmann::json rate_sweep_record(const Case& one);
nlohmann::json waiting_record(const Case& one);

/// What a case asks for, as the measuring loops take it.
RunOptions run_options(const Case& one);
/// A record whose value is `per_second` and whose account is the result's.
nlohmann::json rate_record(const ThroughputResult& result, double per_second);

}  // namespace evring::bench
