// SPDX-License-Identifier: MIT
// `evring-stress --device kernel`: soft devices of evring.ko, made for the run and
// removed after it, and producer processes that inject by ioctl. What they count
// comes back through memory shared with this process.
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <thread>

#include "stress/author.hpp"
#include "stress/ring.hpp"
#include "tool/kernel_access.hpp"

namespace evring::stress {
namespace {

/// A soft device that lives as long as this object.
class KernelStressRing final : public StressRing {
 public:
  KernelStressRing(const StressOptions& options, unsigned index)
      : name_(fmt::format("stress-{}-{}", getpid(), index)) {
    DeviceConfig config;
    config.name = name_;
    config.mode = options.shape.mode;
    config.slot_count = options.shape.slot_count;
    config.slot = options.shape.slot;
    config.first_sequence = options.shape.first_sequence;
    Control control = open_control();
    try {
      control.add(config);
    } catch (const std::system_error& error) {
      throw explain(fmt::format("device '{}'", name_), error);
    }
  }

  ~KernelStressRing() override {
    try {
      Control().remove(name_);
    } catch (const std::exception& error) {
      warn(fmt::format("device '{}': not removed: {}; 'evring remove {}' does it", name_,
                       error.what(), name_));
    }
  }

  const std::string& name() const noexcept override { return name_; }
  Mapping mapping() const override { return Device::open(name_).map(); }
  RingLink join(const LinkOptions& options) override { return RingLink::open(name_, options); }

  void read_counts(RingReport& report) const override {
    const evring_device_info info = Device::open(name_).info();
    report.ring_dropped = info.dropped;
    report.lock_wait_ns = info.lock_wait_ns;
    report.lock_contended = info.lock_contended;
  }

 private:
  std::string name_;
};

/// What the producer processes and this one share.
struct Board {
  std::atomic<bool> go{false};
  std::atomic<bool> stop{false};
};

struct Complaint {
  char text[200];
};

/// Memory shared with forked children: a board, complaints, tallies.
class SharedBoard {
 public:
  SharedBoard(std::size_t producer_count, std::size_t ring_count)
      : producer_count_(producer_count),
        bytes_(kTalliesAt(producer_count) + producer_count * ring_count * sizeof(ProducerTally)) {
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw failure("shared memory", std::strerror(errno));
    new (memory_) Board;
  }
  ~SharedBoard() { munmap(memory_, bytes_); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;

  Board& board() const noexcept { return *static_cast<Board*>(memory_); }
  Complaint& complaint(std::size_t producer) const noexcept {
    return reinterpret_cast<Complaint*>(at(kComplaintsAt))[producer];
  }
  ProducerTally& tally(std::size_t ring, std::size_t producer) const noexcept {
    return reinterpret_cast<ProducerTally*>(
        at(kTalliesAt(producer_count_)))[ring * producer_count_ + producer];
  }

 private:
  static constexpr std::size_t kComplaintsAt = 64;
  static constexpr std::size_t kTalliesAt(std::size_t producer_count) noexcept {
    return kComplaintsAt + producer_count * sizeof(Complaint);
  }
  std::byte* at(std::size_t offset) const noexcept {
    return static_cast<std::byte*>(memory_) + offset;
  }

  std::size_t producer_count_;
  std::size_t bytes_;
  void* memory_;
};

/// One producer at one device: a buffer of events as struct evring_inject wants it.
class Injector {
 public:
  Injector(const StressOptions& options, const std::string& name, std::size_t ring,
           std::size_t producer)
      : device_(Device::open(name, Device::Access::kReadWrite)),
        author_(options, ring, producer),
        stride_(1 + author_.word_count()),
        buffer_(author_.batch_count() * stride_) {
    for (std::size_t i = 0; i < author_.batch_count(); ++i) {
      buffer_[i * stride_] = EVRING_TYPE_LENGTH(producer, author_.word_count() * 8);
    }
  }

  void inject_some() {
    const std::size_t count = author_.next_batch();
    for (std::size_t i = 0; i < count; ++i) {
      author_.write({buffer_.data() + i * stride_ + 1, author_.word_count()}, i);
    }
    const Device::Injected injected = device_.inject(
        buffer_.data(), static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(stride_ * 8));
    author_.account(count, injected.published_count, injected.lock_wait_ns);
  }

  const ProducerTally& tally() const noexcept { return author_.tally(); }

 private:
  Device device_;
  Author author_;
  std::size_t stride_;  ///< words from one event to the next
  std::vector<std::uint64_t> buffer_;
};

/// A process for each producer, forked before this one has any thread.
class KernelProducers final : public ProducerGroup {
 public:
  KernelProducers(const StressOptions& options,
                  const std::vector<std::unique_ptr<StressRing>>& rings)
      : options_(options), rings_(rings), shared_(options.producer_count, rings.size()) {
    for (std::size_t producer = 0; producer < options.producer_count; ++producer) {
      const pid_t parent = getpid();
      const pid_t child = fork();
      if (child == 0) be_producer(producer, parent);
      if (child < 0) {
        const int error = errno;
        end_children();
        throw failure("fork", std::strerror(error), "ask for fewer producers");
      }
      children_.push_back(child);
    }
  }

  ~KernelProducers() override { end_children(); }

  void start() override { shared_.board().go.store(true); }

  void stop(std::vector<std::string>& problems) override {
    end_children();
    for (std::size_t producer = 0; producer < options_.producer_count; ++producer) {
      const char* text = shared_.complaint(producer).text;
      if (text[0] != '\0') problems.push_back(fmt::format("producer {}: {}", producer, text));
    }
    for (std::string& death : deaths_) problems.push_back(std::move(death));
    deaths_.clear();
  }

  std::vector<ProducerTally> tallies(std::size_t ring) const override {
    std::vector<ProducerTally> all;
    for (std::size_t producer = 0; producer < options_.producer_count; ++producer) {
      all.push_back(shared_.tally(ring, producer));
    }
    return all;
  }

 private:
  void end_children() {
    shared_.board().stop.store(true);
    for (const pid_t child : children_) {
      int status = 0;
      while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      if (!WIFEXITED(status)) deaths_.push_back(fmt::format("producer process {} died", child));
    }
    children_.clear();
  }

  [[noreturn]] void be_producer(std::size_t producer, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    signal(SIGINT, SIG_IGN);  // the parent hears it and says when to stop
    signal(SIGTERM, SIG_IGN);
    try {
      produce(producer);
    } catch (const std::exception& error) {
      std::strncpy(shared_.complaint(producer).text, error.what(), sizeof(Complaint::text) - 1);
    }
    _exit(0);
  }

  void produce(std::size_t producer) {
    pin_stress_thread(options_, producer);
    const std::vector<std::size_t> served = rings_of_producer(options_, producer);
    std::vector<Injector> injectors;
    for (const std::size_t ring : served) {
      injectors.emplace_back(options_, rings_[ring]->name(), ring, producer);
    }
    Board& board = shared_.board();
    while (!board.go.load() && !board.stop.load()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    while (!board.stop.load(std::memory_order_relaxed)) {
      for (std::size_t i = 0; i < injectors.size(); ++i) {
        injectors[i].inject_some();
        shared_.tally(served[i], producer) = injectors[i].tally();
      }
    }
  }

  const StressOptions& options_;
  const std::vector<std::unique_ptr<StressRing>>& rings_;
  SharedBoard shared_;
  std::vector<pid_t> children_;
  std::vector<std::string> deaths_;
};

}  // namespace

StressReport stress_kernel(const StressOptions& options) {
  if (options.skip_if_absent && !module_loaded()) {
    throw Failure("stress: skipped: module evring is not loaded", kSkipped);
  }
  std::vector<std::unique_ptr<StressRing>> rings;
  for (unsigned ring = 0; ring < options.ring_count; ++ring) {
    rings.push_back(std::make_unique<KernelStressRing>(options, ring));
  }
  KernelProducers producers(options, rings);
  return run_stress(options, rings, producers);
}

}  // namespace evring::stress
