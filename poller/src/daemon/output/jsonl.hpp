// SPDX-License-Identifier: MIT
// The output "jsonl:PATH": an object for each event, and one for each gap, on a line of
// its own. A thread writes them behind a bounded queue, so that a disk that is full or a
// reader that stopped costs events of this output, counted, and nothing else.
#pragma once

#include "event_queue.hpp"
#include "line_file.hpp"
#include "output.hpp"

#include <evring/poller/counters.hpp>
#include <evring/poller/encode.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace evring::daemon {

/// Events as lines, one after the other; knows what is missing between them.
class JsonLines {
 public:
  JsonLines(std::string consumer, std::string ring);
  /// What is to be written for `next`: a gap before it, and itself.
  void format(const QueuedEvent& next, LineFile& file);

 private:
  JsonLine begin_line(const Position& position);
  void format_gap(const Position& position, LineFile& file);

  std::string consumer_;
  std::string ring_;
  std::optional<Position> last_;  ///< next sequence, and what was lost before it
  std::string line_;
};

class JsonlOutput : public Output {
 public:
  /// Opens the file and starts the thread. @throws std::system_error naming the path.
  JsonlOutput(const ConsumerConfig& config, Print print);
  ~JsonlOutput() override;

  void take(const BurstView& burst) override;
  void end_generation(const Position& position) override;
  void finish(Clock::time_point deadline) override;
  void hurry() noexcept override;
  OutputAccount account() const override;

 private:
  bool push_end() noexcept;
  bool is_time_up() const noexcept;
  void wake() noexcept;

  void run();
  bool fill();
  void note(int error);
  void sleep(LineFile::Progress progress);
  void end(bool has_failed);
  std::string set_failure(const std::string& failure);

  std::string name_;  ///< for messages: "CONSUMER: jsonl:PATH"
  Print print_;
  std::chrono::microseconds flush_;
  EventQueue queue_;
  LineFile file_;
  JsonLines lines_;
  std::optional<Position> unsent_end_;   ///< the poller's thread
  int noted_error_ = 0;                  ///< the writing thread
  Counter received_, refused_;           ///< by the poller's thread
  Counter given_up_, left_;              ///< by the writing thread, at its end
  std::atomic<bool> has_ended_ = false;  ///< no take() follows
  std::atomic<bool> is_hurried_ = false;
  std::atomic<bool> is_failing_ = false;  ///< the last write() failed
  std::atomic<bool> is_done_ = false;     ///< the thread counts no more
  std::atomic<Clock::time_point> deadline_ = Clock::time_point::max();
  mutable std::mutex mutex_;  ///< of the line below
  std::string failure_;
  FileDescriptor wake_fd_;
  std::thread thread_;
};

}  // namespace evring::daemon
