// SPDX-License-Identifier: MIT
// A system call that does something else: so a test does, at that very moment, what another
// core may do then, or lets the call fail as some kernels do. In forked children alone, for
// there is no way back.
#pragma once

#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <system_error>
#include <utility>

namespace evring {

inline std::function<long()>& trap_answer() {
  static std::function<long()> answer;
  return answer;
}

inline void answer_trap(int, siginfo_t*, void* context) {
  const int error = errno;
  const long result = trap_answer()();
  errno = error;
  mcontext_t& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  machine.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
  machine.regs[0] = static_cast<std::uint64_t>(result);
#else
#error "where does a system call leave its result?"
#endif
}

/// Lets `answer()` stand for the calls that `code` traps.
template <std::size_t kCount>
void install_trap(sock_filter (&code)[kCount], std::function<long()> answer) {
  trap_answer() = std::move(answer);
  struct sigaction action {};
  action.sa_sigaction = answer_trap;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSYS, &action, nullptr);
  sock_fprog program{kCount, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    throw std::system_error(errno, std::generic_category(), "seccomp");
  }
}

/// From here on system call `number` does not reach the kernel: it returns what `answer()`
/// does, a negative errno for a failure.
inline void trap_any_system_call(long number, std::function<long()> answer) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  install_trap(code, std::move(answer));
}

/// The same for those calls alone whose first argument is `first`.
inline void trap_system_call(long number, std::uint32_t first, std::function<long()> answer) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  install_trap(code, std::move(answer));
}

/// `answer()` stands for the barrier of whoever arms or registers.
inline void at_each_barrier(std::function<long()> answer) {
  trap_system_call(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, std::move(answer));
}

}  // namespace evring
