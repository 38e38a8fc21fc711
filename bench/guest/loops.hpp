// SPDX-License-Identifier: MIT
// The loops of a guest that have queues of their own.
#pragma once

#include <bench/rig/case.hpp>

namespace evring::bench {

/// What an event costs its producer, in bursts (the case's burst count and rate, of bursts), with
/// a consumer that spins on another CPU. Its variant says who publishes: `timer`, the hard timer;
/// `edu`, an interrupt of evring_edu.ko, whose events_per_interrupt is the burst count; or
/// `local-tick` and `local-edu`, a local producer of the same events.
Record run_interrupt(const Case& one);

/// Why one needs a lock: processes put bursts on one list and take them off, once without its
/// mutex until the driver finds it broken, and once with it. Exact: it broke, and the other not.
Record run_unlocked(const Case& one);

}  // namespace evring::bench
