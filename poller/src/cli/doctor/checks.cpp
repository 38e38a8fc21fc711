// SPDX-License-Identifier: MIT
// The checks of `evring doctor`. Each tries the thing itself where that does no
// harm, and reads what the kernel says of it elsewhere.
#include <linux/membarrier.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <evring/abi.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <evring/local_ring.hpp>
#include <evring/poller/cpu_list.hpp>
#include <evring/poller/ladder.hpp>
#include <evring/poller/relax.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "cli/commands.hpp"
#include "cli/doctor/doctor.hpp"
#include "tool/kernel_access.hpp"

namespace evring::cli {
namespace {

using State = Check::State;
namespace fs = std::filesystem;

bool module_on_disk() {
  utsname machine{};
  uname(&machine);
  std::error_code error;
  const fs::path folder = fs::path("/lib/modules") / machine.release;
  for (const char* sub : {"extra", "updates", "kernel/drivers/misc"}) {
    for (const char* file : {"evring.ko", "evring.ko.xz", "evring.ko.zst"}) {
      if (fs::exists(folder / sub / file, error)) return true;
    }
    if (fs::exists(folder / sub / "dkms" / "evring.ko", error)) return true;
  }
  return false;
}

Check check_module() {
  if (fs::exists("/sys/module/evring")) return {"module", State::kGood, "evring is loaded", ""};
  if (module_on_disk()) {
    return {"module", State::kMissing, "evring is installed, not loaded", "modprobe evring"};
  }
  return {"module", State::kMissing, "evring is neither loaded nor installed for this kernel",
          "build kmod/ and insmod evring.ko; local rings work without it"};
}

Check check_control() {
  if (access(EVRING_CONTROL_PATH, R_OK | W_OK) == 0) {
    return {"control node", State::kGood, EVRING_CONTROL_PATH " is there and may be written", ""};
  }
  const int error = errno;
  return {"control node", error == ENOENT ? State::kMissing : State::kLimited,
          fmt::format("{}: {}", EVRING_CONTROL_PATH, std::strerror(error)),
          error == ENOENT ? "load the module" : "run as root, or have its mode opened"};
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
  const std::string disabled = read_line("/proc/sys/kernel/io_uring_disabled");
  const bool by_sysctl = !disabled.empty() && disabled != "0";
  return {"io_uring", State::kMissing,
          by_sysctl ? fmt::format("kernel.io_uring_disabled is {}", disabled) : support.reason,
          by_sysctl ? "sysctl kernel.io_uring_disabled=0; until then pollers use epoll"
                    : "allow it in the container's seccomp profile; until then pollers use epoll"};
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

Check check_huge_pages() {
  const std::uint64_t free_pages = meminfo_kib("HugePages_Free");
  const std::string shmem = read_line("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
  const auto begin = shmem.find('[');
  const std::string chosen =
      begin == std::string::npos ? "" : shmem.substr(begin + 1, shmem.find(']') - begin - 1);
  if (free_pages != 0) {
    return {"huge pages", State::kGood,
            fmt::format("{} free of {} KiB", free_pages, meminfo_kib("Hugepagesize")), ""};
  }
  return {"huge pages", State::kLimited,
          fmt::format("none reserved; transparent ones for shared memory: {}",
                      chosen.empty() ? "not offered" : chosen),
          "sysctl vm.nr_hugepages=64, for rings of megabytes"};
}

Check check_limit(const char* name, int resource, rlim_t wanted, const std::string& remedy) {
  rlimit limit{};
  getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
  const std::string found =
      limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
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

Check check_runtime_folder() {
  const fs::path folder = local_socket_path("x").parent_path();
  fs::path there = folder;
  std::error_code error;
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  const char* variable = std::getenv("XDG_RUNTIME_DIR");
  const std::string found =
      fmt::format("local rings are found in {} (XDG_RUNTIME_DIR is {})", folder.string(),
                  variable == nullptr ? "not set" : variable);
  if (access(there.c_str(), W_OK | X_OK) == 0) return {"runtime folder", State::kGood, found, ""};
  return {"runtime folder", State::kMissing, fmt::format("{} may not be written", there.string()),
          "set XDG_RUNTIME_DIR to a folder of yours; anonymous rings work without"};
}

#if defined(__x86_64__)
bool cpuid_bit(unsigned leaf, unsigned sub, unsigned reg, unsigned bit) {
  unsigned regs[4] = {};
  if (__get_cpuid_count(leaf, sub, &regs[0], &regs[1], &regs[2], &regs[3]) == 0) return false;
  return ((regs[reg] >> bit) & 1) != 0;
}
#endif

}  // namespace

std::vector<Check> check_kernel_side() {
  return {check_module(), check_control(), check_io_uring(), check_membarrier(), check_proc()};
}

std::vector<Check> check_process() {
  return {check_cpus(),
          check_huge_pages(),
          check_limit("memlock bytes", RLIMIT_MEMLOCK, 8 << 20,
                      "ulimit -l, or LimitMEMLOCK= of the service: io_uring and huge pages"),
          check_limit("rtprio", RLIMIT_RTPRIO, 1,
                      "ulimit -r, or LimitRTPRIO= of the service, for pollers under SCHED_FIFO"),
          check_limit("open files", RLIMIT_NOFILE, 1024, "ulimit -n: several for each ring"),
          check_runtime_folder()};
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
