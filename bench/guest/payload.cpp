// SPDX-License-Identifier: MIT
// An event with its checksum.
#include "payload.hpp"

namespace evring::compare {

Input make_input(std::uint32_t producer, std::uint64_t number) noexcept {
  Input input{};
  input.type = producer;
  input.length_bytes = sizeof(input.word);
  input.word[0] = number;
  input.word[1] = ~number;
  input.word[2] = number * 0x2545f4914f6cdd1dULL;
  input.word[3] = number ^ producer;
  input.word[4] = checksum(producer, number, input.word[1], input.word[2], input.word[3]);
  return input;
}

}  // namespace evring::compare
