// SPDX-License-Identifier: MIT
// How a poller idles between two looks while it may not sleep yet. Chosen by what the
// CPU says at run time; nothing here needs a compiler flag.
#pragma once

#include <cstdint>

namespace evring {

enum class Relax : std::uint8_t {
  kPause,       ///< the CPU's hint for spin loops, some tens of cycles
  kTimedPause,  ///< tpause (WAITPKG): a shallow sleep of about a tenth of a microsecond, which
                ///< leaves the core's other thread its share and saves power
};

/// "pause", "tpause".
const char* to_string(Relax relax) noexcept;

/// The choice for a CPU whose CPUID leaf 7 has `leaf7_ecx` (0 where there is no such leaf).
Relax relax_for(std::uint32_t leaf7_ecx) noexcept;

/// The choice for this CPU.
Relax best_relax() noexcept;

/// Relaxes once. `relax` must be one that this CPU has.
void relax_once(Relax relax) noexcept;

}  // namespace evring
