// SPDX-License-Identifier: MIT
#include "service.hpp"

#include "report.hpp"
#include "worker.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace evring::daemon {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr seconds kGrace{2};    ///< past the outputs' deadline: a thread hangs in the kernel
constexpr seconds kHurried{1};  ///< after the second signal
constexpr seconds kStatusEvery{5};

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(-result, std::generic_category(), what);
  return result;
}

/// sd-event with functions instead of callbacks. One thread.
class Loop {
 public:
  Loop() { check(sd_event_new(&event_), "event loop"); }
  ~Loop() { sd_event_unref(event_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void on_signal(int number, std::function<void()> action) {
    const auto call = [](sd_event_source*, const signalfd_siginfo*, void* data) {
      return run(data);
    };
    check(sd_event_add_signal(event_, nullptr, number, call, keep(std::move(action), {})),
          "event loop: signal");
  }
  void on_readable(int fd, std::function<void()> action) {
    const auto call = [](sd_event_source*, int, std::uint32_t, void* data) { return run(data); };
    check(sd_event_add_io(event_, nullptr, fd, EPOLLIN, call, keep(std::move(action), {})),
          "event loop: descriptor");
  }
  void every(microseconds interval, std::function<void()> action) {
    const auto call = [](sd_event_source* source, std::uint64_t, void* data) {
      run(data);
      sd_event_source_set_time_relative(source, static_cast<Action*>(data)->interval.count());
      return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    };
    check(sd_event_add_time_relative(event_, nullptr, CLOCK_MONOTONIC, interval.count(), 0, call,
                                     keep(std::move(action), interval)),
          "event loop: timer");
  }
  void watchdog() { check(sd_event_set_watchdog(event_, 1), "event loop: watchdog"); }
  void run() { check(sd_event_loop(event_), "event loop"); }
  void exit() { sd_event_exit(event_, 0); }

 private:
  struct Action {
    std::function<void()> action;
    microseconds interval;
  };
  static int run(void* data) {
    static_cast<Action*>(data)->action();
    return 0;
  }
  Action* keep(std::function<void()> action, microseconds interval) {
    actions_.push_back(std::make_unique<Action>(Action{std::move(action), interval}));
    return actions_.back().get();
  }

  sd_event* event_ = nullptr;
  std::vector<std::unique_ptr<Action>> actions_;
};

class Service {
 public:
  Service(const Config& config, Console& console);
  int run();

 private:
  void start();
  void begin_end();
  void note_ended();
  void report(bool is_final) {
    console_.report(config_.json ? format_json(workers_, is_final) : format_table(workers_));
  }
  void tell_status(const std::string& more = "");
  bool all_ended() const;
  int verdict() const;

  const Config& config_;
  Console& console_;
  Loop loop_;
  FileDescriptor ended_fd_;  ///< an eventfd: a worker has ended
  Workers workers_;
  std::vector<const Worker*> noted_;  ///< whose end was looked at
  bool is_ending_ = false;
};

Service::Service(const Config& config, Console& console)
    : config_(config), console_(console), ended_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!ended_fd_) check(-errno, "eventfd");
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    loop_.on_signal(number, [this] { begin_end(); });
  }
  loop_.on_signal(SIGUSR1, [this] { report(false); });
  loop_.on_readable(ended_fd_.get(), [this] { note_ended(); });
  loop_.every(kStatusEvery, [this] { tell_status(); });
  if (config.report.count() != 0) loop_.every(config.report, [this] { report(false); });
  loop_.watchdog();
}

void Service::start() {
  const auto print = [this](const std::string& text) { console_.line(text); };
  for (const ConsumerConfig& consumer : config_.consumers) {
    workers_.push_back(std::make_unique<Worker>(consumer, config_, print));
  }
  for (const auto& worker : workers_) {
    worker->start([fd = ended_fd_.get()] {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = write(fd, &one, sizeof(one));
    });
  }
}

int Service::run() {
  start();
  tell_status("READY=1\n");
  loop_.run();
  report(true);
  for (const std::string& failure : failures(workers_)) console_.error(failure);
  const int code = verdict();
  if (all_ended()) return code;
  // A thread hangs in the kernel: nothing that it uses may be taken down around it.
  console_.error("a consumer did not end in time; what it had is pending; see its output");
  console_.finish(Clock::now() + kHurried);
  std::_Exit(kError);
}

/// The first signal drains; the second waits no longer.
void Service::begin_end() {
  const seconds limit = is_ending_ ? kHurried : config_.drain + kGrace;
  loop_.every(limit, [this] { loop_.exit(); });
  if (is_ending_) {
    for (const auto& worker : workers_) worker->hurry();
    return;
  }
  is_ending_ = true;
  tell_status(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\n", microseconds(limit).count()));
  for (const auto& worker : workers_) worker->request_stop();
}

void Service::note_ended() {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto count = read(ended_fd_.get(), &ignored, sizeof(ignored));
  for (const auto& worker : workers_) {
    if (worker->state() != Worker::State::kEnded) continue;
    if (std::find(noted_.begin(), noted_.end(), worker.get()) != noted_.end()) continue;
    noted_.push_back(worker.get());
    if (!is_ending_ && !worker->failure().empty()) {
      console_.error(fmt::format("{}: {}", worker->config().name, worker->failure()));
    }
  }
  tell_status();
  if (all_ended()) loop_.exit();
}

bool Service::all_ended() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->state() == Worker::State::kEnded; });
}

/// For `systemctl status`; nothing where no service manager listens.
void Service::tell_status(const std::string& more) {
  const auto count = [this](Worker::State state) {
    return std::count_if(workers_.begin(), workers_.end(),
                         [state](const auto& worker) { return worker->state() == state; });
  };
  sd_notifyf(0, "%sSTATUS=%s%td reading, %td waiting for their ring, %td ended", more.c_str(),
             is_ending_ ? "draining: " : "", count(Worker::State::kReading),
             count(Worker::State::kWaiting), count(Worker::State::kEnded));
}

int Service::verdict() const {
  if (!failures(workers_).empty()) return kError;
  bool has_lost = false;
  for (const auto& worker : workers_) {
    const OutputAccount output = worker->output().account();
    if (!worker->account().balanced() || !output.balanced()) return kError;
    has_lost = has_lost || worker->account().lost != 0 || output.dropped != 0;
  }
  return has_lost && config_.fail_on_loss ? kLoss : kFine;
}

}  // namespace

void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread
  // A reader that goes and a file that may not grow are errors of the write.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

int run_service(const Config& config, Console& console) { return Service(config, console).run(); }

}  // namespace evring::daemon
