// SPDX-License-Identifier: MIT
// The checks of `evring doctor`. Each tries the thing itself where that does no
// harm, and reads what the kernel says of it elsewhere.
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <evring/abi.h>
#include <cerrno>
#include <cstring>
#include <evring/local_ring.hpp>
#include <evring/poller/cpu_list.hpp>
#include <evring/poller/ladder.hpp>
#include <evring/poller/relax.hpp>
#include <evring/runtime_dir.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "cli/commands.hpp"
#include "cli/doctor/doctor.hpp"
#include "tool/module.hpp"

namespace evring::cli {
namespace {

using State = Check::State;
namespace fs = std::filesystem;

Check check_module() {
  const ModuleFound module = find_module();
  switch (module.state) {
    case ModuleFound::State::kLoaded:
      return {"module", State::kGood, "evring is loaded", ""};
    case ModuleFound::State::kInstalled:
      return {"module", State::kMissing,
              fmt::format("evring is installed, not loaded: {}", module.path), "modprobe evring"};
    case ModuleFound::State::kAbsent:
      break;
  }
  return {"module", State::kMissing, "evring is neither loaded nor installed for this kernel",
          "build kmod/ and insmod evring.ko; local rings work without it"};
}

Check check_control() {
  for (const int mode : {O_RDWR, O_RDONLY}) {
    if (FileDescriptor(open(EVRING_CONTROL_PATH, mode | O_CLOEXEC))) {
      if (mode == O_RDWR) return {"control node", State::kGood, "devices can be made", ""};
      return {"control node", State::kLimited, "devices can be listed, not made",
              "run as root, or have the mode of " EVRING_CONTROL_PATH " opened"};
    }
  }
  const int error = errno;
  return {"control node", State::kMissing,
          fmt::format("{}: {}", EVRING_CONTROL_PATH, std::strerror(error)),
          error == ENOENT ? "load the module" : "run as root, or have its mode opened"};
}

const char* io_uring_remedy(int error) {
  const std::string disabled = read_line("/proc/sys/kernel/io_uring_disabled");
  switch (error) {
    case EPERM:
    case EACCES:
      return disabled == "1" || disabled == "2" ? "sysctl kernel.io_uring_disabled=0"
                                                : "allow it in the container's seccomp profile";
    case ENOSYS:
      return "allow it in the container's seccomp profile, or take a kernel with CONFIG_IO_URING";
    case ENOMEM:
      return "ulimit -l, or LimitMEMLOCK= of the service";
    case EMFILE:
    case ENFILE:
      return "ulimit -n, or LimitNOFILE= of the service";
    case EOPNOTSUPP:
      return "take a kernel of 5.13 or later";
    default:
      return "none known: say what the reason above is";
  }
}

Check check_io_uring() {
  const UringSupport support = probe_io_uring();
  if (support.usable) {
    return {"io_uring", State::kGood,
            fmt::format("{}; single issuer {}, deferred task work {}, command {}", support.reason,
                        support.single_issuer ? "yes" : "no", support.defer_taskrun ? "yes" : "no",
                        support.uring_command ? "yes" : "no"),
            ""};
  }
  return {"io_uring", State::kLimited, support.reason + "; pollers use epoll",
          io_uring_remedy(support.error)};
}

Check check_proc() {
  if (fs::exists("/proc/self/status")) return {"/proc", State::kGood, "mounted", ""};
  return {"/proc", State::kMissing, "not mounted", "mount -t proc proc /proc"};
}

Check check_membarrier() {
  const long commands = syscall(__NR_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  const long wanted = MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
  if (commands >= 0 && (commands & wanted) == wanted) {
    return {"membarrier", State::kGood, "expedited: the sleeper pays for the barrier", ""};
  }
  return {"membarrier", State::kLimited, "not there: local producers pay a full barrier per batch",
          "allow membarrier(2) in the container's seccomp profile"};
}

std::uint64_t meminfo_kib(const std::string& key) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::string rest;
  std::uint64_t value = 0;
  while (file >> name >> value && std::getline(file, rest)) {
    if (name == key + ":") return value;
  }
  return 0;
}

/// By asking for them: some may be reserved only when they are asked for.
Check check_huge_pages() {
  const LocalRing ring =
      LocalRing::anonymous({.slot_count = 16384, .name = "doctor", .huge_pages = true});
  if (ring.huge_pages()) {
    return {"huge pages", State::kGood,
            fmt::format("a ring of 1 MiB got them; {} more of {} KiB are free",
                        meminfo_kib("HugePages_Free"), meminfo_kib("Hugepagesize")),
            ""};
  }
  return {"huge pages", State::kLimited, "a ring of 1 MiB that asks for them gets small ones",
          "sysctl vm.nr_hugepages=64, for rings of megabytes"};
}

std::string limit_text(int resource) {
  rlimit limit{};
  getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
}

/// By an io_uring that was made: kernels before 5.12 count its memory, unless root asks.
Check check_memlock() {
  const std::string found = limit_text(RLIMIT_MEMLOCK);
  if (probe_io_uring().error != ENOMEM) return {"memlock bytes", State::kGood, found, ""};
  return {"memlock bytes", State::kLimited, found + ", too little for io_uring",
          "ulimit -l, or LimitMEMLOCK= of the service"};
}

/// By a thread that asks for it: root may, whatever the limit is.
Check check_real_time() {
  int error = 0;
  std::thread([&error] {
    const sched_param lowest{.sched_priority = 1};
    error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &lowest);
  }).join();
  const std::string found = "limit " + limit_text(RLIMIT_RTPRIO);
  if (error == 0) return {"rtprio", State::kGood, "SCHED_FIFO is granted, " + found, ""};
  return {"rtprio", State::kLimited,
          fmt::format("SCHED_FIFO is refused ({}), {}", std::strerror(error), found),
          "ulimit -r, or LimitRTPRIO= of the service, for pollers under SCHED_FIFO"};
}

Check check_limit(const char* name, int resource, rlim_t wanted, const std::string& remedy) {
  rlimit limit{};
  getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
  const std::string found = limit_text(resource);
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted) {
    return {name, State::kGood, found, ""};
  }
  return {name, State::kLimited, found, remedy};
}

Check check_cpus() {
  const std::vector<unsigned> cpus = allowed_cpus();
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  const std::string found =
      fmt::format("{} of {} online ({})", cpus.size(), online, format_cpu_list(cpus));
  if (cpus.size() < 2) {
    return {"allowed CPUs", State::kLimited, found,
            "allow more (cpuset, taskset): a producer and a consumer want one each"};
  }
  return {"allowed CPUs", State::kGood, found, ""};
}

/// By making it, as whoever serves a ring does.
Check check_runtime_folder() {
  try {
    return {"runtime folder", State::kGood,
            fmt::format("local rings are found in {}", RuntimeDir::make().path().string()), ""};
  } catch (const RuntimeDirRefused& error) {
    return {"runtime folder", State::kMissing, error.what(), "anonymous rings work without"};
  } catch (const std::system_error& error) {
    return {"runtime folder", State::kMissing, error.what(),
            "set XDG_RUNTIME_DIR to a folder of yours; anonymous rings work without"};
  }
}

#if defined(__x86_64__)
bool cpuid_bit(unsigned leaf, unsigned sub, unsigned reg, unsigned bit) {
  unsigned regs[4] = {};
  if (__get_cpuid_count(leaf, sub, &regs[0], &regs[1], &regs[2], &regs[3]) == 0) return false;
  return ((regs[reg] >> bit) & 1) != 0;
}
#endif

/// What cannot even be tried is missing; the other checks go on.
Check made(const char* name, Check (*make)()) {
  try {
    return make();
  } catch (const std::exception& error) {
    return {name, State::kMissing, error.what(), "mend that, and ask again"};
  }
}

}  // namespace

std::vector<Check> check_devices() {
  return {made("module", check_module), made("control node", check_control)};
}

std::vector<Check> check_kernel() {
  return {made("io_uring", check_io_uring), made("membarrier", check_membarrier),
          made("/proc", check_proc)};
}

std::vector<Check> check_process() {
  return {made("allowed CPUs", check_cpus),
          made("huge pages", check_huge_pages),
          made("memlock bytes", check_memlock),
          made("rtprio", check_real_time),
          check_limit("open files", RLIMIT_NOFILE, 1024, "ulimit -n: several for each ring"),
          made("runtime folder", check_runtime_folder)};
}

std::vector<Check> check_cpu() {
#if defined(__x86_64__)
  const bool waitpkg = best_relax() == Relax::kTimedPause;
  const bool prefetchw = cpuid_bit(0x80000001, 0, 2, 8);
  return {{"umwait/tpause", waitpkg ? State::kGood : State::kLimited,
           waitpkg ? "offered: adaptive and yielding pollers idle by tpause"
                   : "not offered by this CPU or hypervisor",
           waitpkg ? "" : "nothing to do: idle spins use pause"},
          {"prefetchw", prefetchw ? State::kGood : State::kLimited,
           prefetchw ? "offered" : "not offered by this CPU or hypervisor",
           prefetchw ? "" : "nothing to do: producers fetch lines as they write"}};
#else
  return {};
#endif
}

}  // namespace evring::cli
