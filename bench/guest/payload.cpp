// SPDX-License-Identifier: MIT
// The checksum of an event and its verification.
#include "payload.hpp"

namespace evring::compare {
namespace {

constexpr unsigned kChecksumWord = EVRING_BASELINE_PAYLOAD_WORDS - 1;

std::uint64_t checksum(std::uint32_t type, const std::uint64_t* words) noexcept {
  std::uint64_t sum = 0x9e3779b97f4a7c15ULL ^ type;
  for (unsigned i = 0; i < kChecksumWord; ++i) {
    sum = (sum ^ words[i]) * 0xbf58476d1ce4e5b9ULL;
    sum ^= sum >> 29;
  }
  return sum;
}

}  // namespace

Input make_input(std::uint32_t producer, std::uint64_t number) noexcept {
  const std::array<std::uint64_t, EVRING_BASELINE_PAYLOAD_WORDS - 1> words{
      number, ~number, number * 0x2545f4914f6cdd1dULL, number ^ producer};
  Input input{};
  input.type = producer;
  input.length_bytes = sizeof(input.word);
  for (unsigned i = 0; i < kChecksumWord; ++i) input.word[i] = words[i];
  input.word[kChecksumWord] = checksum(producer, words.data());
  return input;
}

void Verifier::take(std::uint32_t type, std::uint32_t length_bytes,
                    const std::uint64_t* words) noexcept {
  ++received_;
  if (length_bytes != sizeof(Input::word) || type >= kProducersMax ||
      words[kChecksumWord] != checksum(type, words)) {
    ++corrupt_;
    return;
  }
  if (words[0] < next_[type]) ++out_of_order_;
  next_[type] = words[0] + 1;
}

}  // namespace evring::compare
