// SPDX-License-Identifier: MIT
// In every test program under AddressSanitizer: a fork waits until the other threads sleep.
// Its allocator, of clang 14 as of GCC 12, is not made for forks: one that a thread has locked at
// that moment, as a thread that begins does, is locked for ever in the child, whose first `new`
// hangs.
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;

/// One that has ended meanwhile counts as asleep.
bool is_asleep(const fs::path& task) {
  std::ifstream file(task / "stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end_of_name = line.rfind(") ");
  return end_of_name == std::string::npos || line[end_of_name + 2] != 'R';
}

/// Threads that spin do not allocate: they are waited for in vain, but not for long.
void wait_for_others() {
  constexpr int kTryCount = 100;
  const fs::path self = fs::path("/proc/self/task") / std::to_string(::gettid());
  const auto is_calm = [&](const fs::path& task) { return task == self || is_asleep(task); };
  for (int i = 0; i < kTryCount; ++i) {
    std::error_code gone;
    if (std::ranges::all_of(fs::directory_iterator("/proc/self/task", gone), is_calm)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

[[gnu::constructor]] void begin() { ::pthread_atfork(wait_for_others, nullptr, nullptr); }

}  // namespace
