// SPDX-License-Identifier: MIT
// `evring-stress --device local`: anonymous local rings and producer threads.
// Several producers of one ring share it through the lock in front (SharedProducer).
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstring>
#include <evring/producer.hpp>
#include <evring/shared_producer.hpp>
#include <evring/status.hpp>
#include <memory>
#include <mutex>
#include <thread>

#include "stress/author.hpp"
#include "stress/ring.hpp"

namespace evring::stress {
namespace {

class LocalStressRing final : public StressRing {
 public:
  explicit LocalStressRing(const LocalRingOptions& options) : ring_(LocalRing::anonymous(options)) {
    warn_of_small_pages(ring_, options.huge_pages);
  }

  const std::string& name() const noexcept override { return ring_.name(); }
  Mapping mapping() const override { return ring_.mapping(); }
  RingLink join(const LinkOptions& options) override { return RingLink::of(ring_, options); }
  const LocalRing& ring() const noexcept { return ring_; }

  void read_counts(RingReport& report) const override {
    const Mapping mapping = ring_.mapping();
    const auto status = read_status(*mapping.header(), mapping.geometry().first_sequence);
    if (!status) return;
    report.ring_dropped = status->block.dropped;
    report.lock_wait_ns = status->block.lock_wait_ns;
    report.lock_contended = status->block.lock_contended;
  }

 private:
  LocalRing ring_;
};

/// The producer side of one ring: alone, or shared by several threads.
template <class Layout>
class Front {
 public:
  Front(const LocalRing& ring, WhenFull when_full, bool shared) {
    if (shared) {
      shared_ = std::make_unique<SharedProducer<Layout>>(ring, when_full);
    } else {
      own_ = std::make_unique<BasicProducer<Layout>>(ring, when_full);
    }
  }

  template <class Use>
  decltype(auto) with_producer(Use&& use) {
    if (shared_ != nullptr) return shared_->with_producer(std::forward<Use>(use));
    return std::forward<Use>(use)(*own_);
  }

 private:
  std::unique_ptr<SharedProducer<Layout>> shared_;
  std::unique_ptr<BasicProducer<Layout>> own_;
};

/// One producer at one ring.
template <class Layout>
class Writer {
 public:
  Writer(const StressOptions& options, Front<Layout>& front, std::size_t ring, std::size_t producer)
      : author_(options, ring, producer),
        front_(front),
        reserves_(options.publish_way == PublishWay::kReserve),
        events_(author_.batch_count()) {}

  void publish_some() {
    const std::size_t count = author_.next_batch();
    author_.account(count, reserves_ ? publish_reserved(count) : publish_copies(count));
  }

  const ProducerTally& tally() const noexcept { return author_.tally(); }

 private:
  std::size_t publish_copies(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) fill_event(events_[i], i);
    return front_.with_producer([&](BasicProducer<Layout>& producer) {
      if (count > 1) return producer.publish_batch(std::span(events_.data(), count));
      return producer.publish(events_[0]) == PublishStatus::kPublished ? std::size_t{1} : 0;
    });
  }

  std::size_t publish_reserved(std::size_t count) {
    return front_.with_producer([&](BasicProducer<Layout>& producer) -> std::size_t {
      auto reservation = producer.reserve(count);
      for (std::size_t i = 0; i < reservation.count(); ++i) {
        author_.write(words(), i);
        for (std::size_t w = 0; w < author_.word_count(); ++w)
          reservation.set_word(i, w, words_[w]);
      }
      const std::size_t published = reservation.count();  // a committed one has none
      reservation.commit();
      return published;
    });
  }

  void fill_event(BasicEvent<Layout>& event, std::size_t index) noexcept {
    author_.write(words(), index);
    std::memcpy(event.payload.data(), words_.data(), words().size_bytes());
    if constexpr (requires { event.length_bytes; }) {
      event.length_bytes = static_cast<std::uint32_t>(words().size_bytes());
    }
  }

  std::span<std::uint64_t> words() noexcept { return {words_.data(), author_.word_count()}; }

  Author author_;
  Front<Layout>& front_;
  bool reserves_;
  std::vector<BasicEvent<Layout>> events_;
  std::array<std::uint64_t, kStressWordsMax> words_{};
};

template <class Layout>
class LocalProducers final : public ProducerGroup {
 public:
  LocalProducers(const StressOptions& options,
                 const std::vector<std::unique_ptr<StressRing>>& rings)
      : options_(options) {
    const WhenFull when_full = options.gated_drops ? WhenFull::kRefuse : WhenFull::kWait;
    for (std::size_t ring = 0; ring < rings.size(); ++ring) {
      const auto& local = static_cast<const LocalStressRing&>(*rings[ring]);
      fronts_.push_back(std::make_unique<Front<Layout>>(local.ring(), when_full,
                                                        producers_of_ring(options, ring) > 1));
      tallies_.emplace_back(options.producer_count);
    }
  }

  ~LocalProducers() override {
    std::vector<std::string> ignored;
    stop(ignored);
  }

  void start() override {
    for (std::size_t producer = 0; producer < options_.producer_count; ++producer) {
      threads_.emplace_back([this, producer] { run_thread(producer); });
    }
  }

  void stop(std::vector<std::string>& problems) override {
    stopping_.store(true, std::memory_order_relaxed);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    for (auto& front : fronts_) front->with_producer([](auto& p) { p.refresh_status(); });
    for (std::string& problem : problems_) problems.push_back(std::move(problem));
    problems_.clear();
  }

  std::vector<ProducerTally> tallies(std::size_t ring) const override { return tallies_[ring]; }

 private:
  void run_thread(std::size_t producer) {
    try {
      pin_stress_thread(options_, producer);
      const std::vector<std::size_t> served = rings_of_producer(options_, producer);
      std::vector<Writer<Layout>> writers;
      for (const std::size_t ring : served) {
        writers.emplace_back(options_, *fronts_[ring], ring, producer);
      }
      while (!stopping_.load(std::memory_order_relaxed)) {
        for (Writer<Layout>& writer : writers) writer.publish_some();
      }
      for (std::size_t i = 0; i < served.size(); ++i) {
        tallies_[served[i]][producer] = writers[i].tally();
      }
    } catch (const std::exception& error) {
      const std::lock_guard held(mutex_);
      problems_.push_back(fmt::format("producer {}: {}", producer, error.what()));
    }
  }

  const StressOptions& options_;
  std::vector<std::unique_ptr<Front<Layout>>> fronts_;
  std::vector<std::vector<ProducerTally>> tallies_;
  std::vector<std::thread> threads_;
  std::vector<std::string> problems_;
  std::mutex mutex_;
  std::atomic<bool> stopping_{false};
};

}  // namespace

StressReport stress_local(const StressOptions& options) {
  std::vector<std::unique_ptr<StressRing>> rings;
  for (unsigned ring = 0; ring < options.ring_count; ++ring) {
    LocalRingOptions local = options.shape.local_options(fmt::format("stress-{}", ring));
    local.registered_count_max =
        std::min<unsigned>(options.consumer_count + 1, EVRING_CONSUMER_COUNT_MAX);
    rings.push_back(std::make_unique<LocalStressRing>(local));
  }
  StressReport report;
  with_layout(options.shape.slot, [&](auto layout) {
    LocalProducers<decltype(layout)> producers(options, rings);
    report = run_stress(options, rings, producers);
  });
  return report;
}

}  // namespace evring::stress
