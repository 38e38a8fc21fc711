// SPDX-License-Identifier: MIT
// Child processes: forked, halted, killed, reaped.
#include <bench/rig/processes.hpp>
#include <bench/rig/threads.hpp>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

namespace evring::bench {
namespace {

[[noreturn]] void run_child(int cpu, const std::function<void()>& work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    pin_this_thread(cpu);
    work();
    _exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a child process: %s\n", error.what());
    _exit(1);
  }
}

int reap(pid_t pid, int options) noexcept {
  int status = 0;
  while (waitpid(pid, &status, options) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Child::Child(int cpu, const std::function<void()>& work) : pid_(fork()) {
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) run_child(cpu, work);
}

void Child::stop() {
  ::kill(pid_, SIGSTOP);
  if (!WIFSTOPPED(reap(pid_, WUNTRACED))) {
    pid_ = 0;
    throw std::runtime_error("the process to be stopped has ended");
  }
}

void Child::kill() noexcept {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  reap(std::exchange(pid_, 0), 0);
}

bool Child::has_ended() const noexcept {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid != 0;
}

bool Child::wait() noexcept { return pid_ != 0 && reap(std::exchange(pid_, 0), 0) == 0; }

}  // namespace evring::bench
