// SPDX-License-Identifier: MIT
// What one producer writes at one ring: numbered, checksummed payloads, its own
// tally, and the faults that --fault asks for. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "stress/payload.hpp"

namespace evring::stress {

class Author {
 public:
  Author(const StressOptions& options, std::size_t ring, std::size_t producer)
      : key_(ring_key(options.seed, ring)),
        producer_(producer),
        random_(mix(key_ ^ producer)),
        batch_count_(options.publish_way == PublishWay::kOne ? 1 : options.batch_count),
        word_count_(options.shape.slot.payload_bytes() / 8),
        fault_(ring == 0 && producer == 0 ? options.fault : Fault::kNone) {}

  std::size_t word_count() const noexcept { return word_count_; }
  std::size_t batch_count() const noexcept { return batch_count_; }
  const ProducerTally& tally() const noexcept { return tally_; }

  /// How many events to offer now.
  std::size_t next_batch() noexcept { return 1 + random_.below(batch_count_); }

  /// The payload of event `index` of the batch that is offered next.
  void write(std::span<std::uint64_t> words, std::size_t index) noexcept {
    fill_payload(words, key_, producer_, count_ + index);
    if (corrupt_next_) words.back() ^= 0x100;
    corrupt_next_ = false;
  }

  /// After the offer: the first `published` events of the batch went in.
  void account(std::size_t offered, std::size_t published,
               std::uint64_t lock_wait_ns = 0) noexcept {
    count_ += published;
    tally_.offered += offered;
    tally_.published += published;
    tally_.dropped += offered - published;
    tally_.lock_wait_ns += lock_wait_ns;
    if (fault_ != Fault::kNone && tally_.published >= next_fault_at_) make_fault();
  }

 private:
  static constexpr std::uint64_t kFaultEvery = 1000;

  void make_fault() noexcept {
    next_fault_at_ = tally_.published + kFaultEvery;
    corrupt_next_ = fault_ == Fault::kCorrupt;
    if (fault_ == Fault::kSkip) ++count_;
    if (fault_ == Fault::kReorder) --count_;
    if (fault_ == Fault::kMiscount) ++tally_.offered;
  }

  std::uint64_t key_;
  std::size_t producer_;
  Random random_;
  std::size_t batch_count_;
  std::size_t word_count_;
  ProducerTally tally_;
  std::uint64_t count_ = 0;  ///< of the next event published
  Fault fault_;
  std::uint64_t next_fault_at_ = kFaultEvery;
  bool corrupt_next_ = false;
};

}  // namespace evring::stress
